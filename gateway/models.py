"""The dialect of each kind of model."""

from domain.agents.models import AnthropicConfig, ModelConfig, OpenAIChatConfig, OpenAIResponsesConfig
from gateway.adapter import Adapter
from gateway.anthropic import Anthropic
from gateway.background import BackgroundModel, KeepsResponses
from gateway.model import Dialect, Model
from gateway.openai_chat import OpenAIChat
from gateway.openai_responses import OpenAIResponses
from gateway.outgoing import Outgoing


def model_of(config: ModelConfig, outgoing: Outgoing, responses: KeepsResponses | None) -> Adapter:
    """Return the adapter of a configured model. Raises TypeError for a kind without a dialect."""
    if isinstance(config, OpenAIResponsesConfig) and config.background:
        return BackgroundModel(config, outgoing, responses)
    return Model(config, dialect_of(config), outgoing)


def dialect_of(config: ModelConfig) -> Dialect:
    """Return the dialect of a configured model. Raises TypeError for a kind without one."""
    match config:
        case OpenAIChatConfig():
            return OpenAIChat(config)
        case OpenAIResponsesConfig():
            return OpenAIResponses(config)
        case AnthropicConfig():
            return Anthropic(config)
        case other:
            raise TypeError(f"{type(other).__name__} has no dialect")
