"""Keys: which principals may use Procession, and what each may do."""
