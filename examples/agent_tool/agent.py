"""A LiveKit agent with a tool that mutes a participant of its own room; see README.md."""

import asyncio
import os
from contextlib import AsyncExitStack

from livekit.agents import Agent, AgentServer, AgentSession, JobContext
from livekit.agents.llm import Tool, ToolError, function_tool
from livekit_mute.adapters.livekit.api_key import ApiKey
from livekit_mute.adapters.livekit.room_gateway import open_gateway
from livekit_mute.application.ports.room_gateway import RoomGatewayError
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.room import NotFoundError
from livekit_mute.domain.track import Participant
from microphones import mute_microphones

TOOL_TIMEOUT_S = 3.0

server = AgentServer()


def make_mute_tool(access: RoomAccess, room: str) -> Tool:
    """Make the tool for one room; the model chooses the participant, never the room."""

    @function_tool
    async def mute_microphone(participant_identity: str) -> str:
        """Mute the microphone of a participant of this call.

        Args:
            participant_identity: The participant's exact identity.
        """
        deadline = asyncio.get_running_loop().time() + TOOL_TIMEOUT_S
        participant = Participant(room=room, identity=participant_identity)
        try:
            number = await mute_microphones(access, participant, deadline=deadline)
        except (NotFoundError, RoomGatewayError) as error:
            raise ToolError(f"not muted: {error}") from error
        if not number:
            return f"{participant_identity} has no microphone on, as far as LiveKit knows by now"
        return f"{participant_identity} is muted"

    return mute_microphone


@server.rtc_session()
async def moderate(ctx: JobContext) -> None:
    """Join the room that LiveKit sends this agent to, with the tool for that room."""
    opened = AsyncExitStack()
    ctx.add_shutdown_callback(opened.aclose)
    key = ApiKey(name=os.environ["LIVEKIT_API_KEY"], secret=os.environ["LIVEKIT_API_SECRET"])
    gateway = await opened.enter_async_context(
        open_gateway(url=os.environ["LIVEKIT_URL"], api_key=key)
    )
    moderator = Agent(
        instructions="You moderate this call. Mute a participant only if the host asks for it.",
        tools=[make_mute_tool(RoomAccess(gateway=gateway), ctx.job.room.name)],
    )
    await AgentSession(llm="openai/gpt-4.1-mini").start(moderator, room=ctx.room)
