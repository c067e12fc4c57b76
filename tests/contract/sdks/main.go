// Drives every call of the double by LiveKit's Go SDK; prints the outcomes as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/twitchtv/twirp"
)

func main() {
	client := lksdk.NewRoomServiceClient(os.Args[1], os.Args[2], os.Args[3])
	ctx := context.Background()
	outcomes := map[string]string{}

	note := func(name, outcome string, err error) {
		var refused twirp.Error
		if errors.As(err, &refused) {
			status := twirp.ServerHTTPStatusFromErrorCode(refused.Code())
			outcome = fmt.Sprintf("%d %s", status, refused.Code())
		} else if err != nil {
			outcome = err.Error()
		}
		outcomes[name] = outcome
	}
	create := func(name, metadata string) {
		room, err := client.CreateRoom(ctx, &livekit.CreateRoomRequest{Name: "sdk", Metadata: metadata})
		note(name, room.GetMetadata(), err)
	}
	update := func(name, room string) {
		asked := &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: "3"}
		updated, err := client.UpdateRoomMetadata(ctx, asked)
		note(name, updated.GetMetadata(), err)
	}
	who := func(identity string) *livekit.RoomParticipantIdentity {
		return &livekit.RoomParticipantIdentity{Room: "lobby", Identity: identity}
	}
	mute := func(name, identity, sid string, muted bool) {
		answer, err := client.MutePublishedTrack(ctx, &livekit.MuteRoomTrackRequest{
			Room: "lobby", Identity: identity, TrackSid: sid, Muted: muted,
		})
		outcome := "no track"
		if track := answer.GetTrack(); track != nil {
			outcome = fmt.Sprint(track.Muted)
		}
		note(name, outcome, err)
	}
	remove := func(name string) {
		_, err := client.RemoveParticipant(ctx, who("alice"))
		note(name, "ok", err)
	}
	deleteRoom := func(name string) {
		_, err := client.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: "sdk"})
		note(name, "ok", err)
	}

	create("create", "1")
	create("createAgain", "2")
	update("update", "sdk")
	update("updateMissing", "missing")
	rooms, err := client.ListRooms(ctx, &livekit.ListRoomsRequest{Names: []string{"sdk", "missing"}})
	metadata := []string{}
	for _, room := range rooms.GetRooms() {
		metadata = append(metadata, room.Metadata)
	}
	note("rooms", strings.Join(metadata, ","), err)
	participants, err := client.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: "lobby"})
	identities := []string{}
	for _, one := range participants.GetParticipants() {
		identities = append(identities, one.Identity)
	}
	note("participants", strings.Join(identities, ","), err)
	alice, err := client.GetParticipant(ctx, who("alice"))
	sid := ""
	if err == nil {
		sid = alice.Tracks[0].Sid
	}
	note("get", sid, err)
	_, err = client.GetParticipant(ctx, who("nobody"))
	note("getMissing", "", err)
	mute("mute", "alice", "TR_mic", true)
	mute("muteUnknownSid", "alice", "TR_other", true)
	mute("muteMissing", "nobody", "TR_mic", true)
	mute("unmute", "alice", "TR_mic", false)
	remove("remove")
	remove("removeMissing")
	deleteRoom("delete")
	deleteRoom("deleteMissing")
	printed, _ := json.Marshal(outcomes)
	fmt.Println(string(printed))
}
