// Drives every call of the double by npm's livekit-server-sdk; prints the outcomes as JSON.
import { RoomServiceClient } from "livekit-server-sdk";

const [, , url, key, secret] = process.argv;
const outcomes = {};

function steps(client) {
  return {
    create: async () => (await client.createRoom({ name: "sdk", metadata: "1" })).metadata,
    createAgain: async () => (await client.createRoom({ name: "sdk", metadata: "2" })).metadata,
    update: async () => (await client.updateRoomMetadata("sdk", "3")).metadata,
    updateMissing: async () => (await client.updateRoomMetadata("missing", "3")).metadata,
    rooms: async () => (await client.listRooms(["sdk", "missing"])).map((room) => room.metadata).join(),
    participants: async () => (await client.listParticipants("lobby")).map((one) => one.identity).join(),
    get: async () => (await client.getParticipant("lobby", "alice")).tracks[0].sid,
    getMissing: async () => (await client.getParticipant("lobby", "nobody")).identity,
    mute: async () => String((await client.mutePublishedTrack("lobby", "alice", "TR_mic", true)).muted),
    muteUnknownSid: async () =>
      (await client.mutePublishedTrack("lobby", "alice", "TR_other", true)) === undefined ? "no track" : "a track",
    muteMissing: async () => String(await client.mutePublishedTrack("lobby", "nobody", "TR_mic", true)),
    unmute: async () => String(await client.mutePublishedTrack("lobby", "alice", "TR_mic", false)),
    remove: async () => String((await client.removeParticipant("lobby", "alice")) ?? "ok"),
    removeMissing: async () => String((await client.removeParticipant("lobby", "alice")) ?? "ok"),
    delete: async () => String((await client.deleteRoom("sdk")) ?? "ok"),
    deleteMissing: async () => String((await client.deleteRoom("sdk")) ?? "ok"),
  };
}

for (const [name, step] of Object.entries(steps(new RoomServiceClient(url, key, secret)))) {
  try {
    outcomes[name] = await step();
  } catch (error) {
    outcomes[name] = `${error.status} ${error.code}`;
  }
}
console.log(JSON.stringify(outcomes));
