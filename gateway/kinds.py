"""The adapter of each kind of agent that is reached over a network."""

from domain.agents.kinds import AnthropicConfig, HttpConfig, OpenAIChatConfig, OpenAIResponsesConfig
from gateway.adapter import Adapter
from gateway.anthropic import AnthropicMessages
from gateway.http import Http
from gateway.models import Model
from gateway.openai_chat import OpenAIChat
from gateway.openai_responses import OpenAIResponses
from gateway.outgoing import Outgoing

NetworkConfig = HttpConfig | OpenAIChatConfig | OpenAIResponsesConfig | AnthropicConfig


def adapter_of(config: NetworkConfig, outgoing: Outgoing, callback_base: str | None) -> Adapter:
    """Return the adapter of an agent. callback_base: the address of our API for later answers."""
    match config:
        case HttpConfig():
            return Http(config, outgoing, callback_base)
        case OpenAIChatConfig():
            return Model(OpenAIChat(config), config, outgoing)
        case OpenAIResponsesConfig():
            return Model(OpenAIResponses(config), config, outgoing)
        case AnthropicConfig():
            return Model(AnthropicMessages(config), config, outgoing)
