"""The pages of agents: the list, one with its trial, the form that registers it, its retirement, its inbox."""
