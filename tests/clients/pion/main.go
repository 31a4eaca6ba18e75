// A WHIP and WHEP client on Pion, for tests/clients: it speaks the Opus packets it is given, or keeps those it hears.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Task is what one run is to do; tests/clients/table.py writes it, as JSON.
type Task struct {
	Role     string   `json:"role"`     // speaks or listens
	Endpoint string   `json:"endpoint"` // WHIP or WHEP
	Token    string   `json:"token"`
	Sections []string `json:"sections"` // of the offer, in order: audio, video, data
	Bundle   string   `json:"bundle"`   // balanced or max-bundle
	Seconds  float64  `json:"seconds"`  // from connected to the end
	Sound    string   `json:"sound"`    // file of Opus packets of 20 ms, each after its length in two bytes
}

func main() {
	var task Task
	err := json.Unmarshal([]byte(os.Args[1]), &task)
	if err == nil {
		err = run(task)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(task Task) error {
	policy := webrtc.BundlePolicyBalanced
	if task.Bundle == "max-bundle" {
		policy = webrtc.BundlePolicyMaxBundle
	}
	connection, err := webrtc.NewPeerConnection(webrtc.Configuration{BundlePolicy: policy})
	if err != nil {
		return err
	}
	defer connection.Close()
	connected := make(chan error, 8)
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			connected <- nil
		case webrtc.PeerConnectionStateFailed:
			connected <- errors.New("connection failed")
		}
	})
	heard := &recording{}
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { heard.fill(track) })
	track, err := addSections(connection, task)
	if err != nil {
		return err
	}
	session, err := negotiate(connection, task)
	if err != nil {
		return err
	}
	defer session.end()
	select {
	case err = <-connected:
	case <-time.After(10 * time.Second):
		err = errors.New("not connected after 10 s")
	}
	if err != nil {
		return err
	}
	if task.Role == "speaks" {
		return speak(track, task)
	}
	time.Sleep(time.Duration(task.Seconds * float64(time.Second)))
	return os.WriteFile(task.Sound, heard.bytes(), 0o600)
}

// addSections returns the audio track to speak with.
func addSections(connection *webrtc.PeerConnection, task Task) (*webrtc.TrackLocalStaticRTP, error) {
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	track, err := webrtc.NewTrackLocalStaticRTP(opus, "audio", "pion")
	if err != nil {
		return nil, err
	}
	init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if task.Role == "speaks" {
		init.Direction = webrtc.RTPTransceiverDirectionSendonly
	}
	for _, section := range task.Sections {
		switch {
		case section == "data":
			_, err = connection.CreateDataChannel("test", nil)
		case section == "video":
			_, err = connection.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, init)
		case task.Role == "speaks":
			_, err = connection.AddTransceiverFromTrack(track, init)
		default:
			_, err = connection.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, init)
		}
		if err != nil {
			return nil, err
		}
	}
	return track, nil
}

// Session is one at a WHIP or WHEP endpoint.
type Session struct {
	location string
	token    string
}

func (session Session) end() {
	request, _ := http.NewRequest(http.MethodDelete, session.location, nil)
	request.Header.Set("Authorization", "Bearer "+session.token)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
	}
}

func negotiate(connection *webrtc.PeerConnection, task Task) (*Session, error) {
	offer, err := connection.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err = connection.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	body := strings.NewReader(connection.LocalDescription().SDP)
	request, err := http.NewRequest(http.MethodPost, task.Endpoint, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+task.Token)
	request.Header.Set("Content-Type", "application/sdp")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s: %s", response.Status, answer)
	}
	base, err := url.Parse(task.Endpoint)
	if err != nil {
		return nil, err
	}
	location, err := base.Parse(response.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}
	return &Session{location.String(), task.Token}, connection.SetRemoteDescription(description)
}

func speak(track *webrtc.TrackLocalStaticRTP, task Task) error {
	sound, err := os.ReadFile(task.Sound)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	sequence, timestamp := uint16(65500), uint32(4294900000) // both wrap around soon
	for end := time.Now().Add(time.Duration(task.Seconds * float64(time.Second))); time.Now().Before(end); {
		for at := 0; at < len(sound) && time.Now().Before(end); {
			<-ticker.C
			length := int(binary.BigEndian.Uint16(sound[at:]))
			packet := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: sequence, Timestamp: timestamp},
				Payload: sound[at+2 : at+2+length],
			}
			if err := track.WriteRTP(packet); err != nil {
				return err
			}
			at += 2 + length
			sequence, timestamp = sequence+1, timestamp+960
		}
	}
	return nil
}

// recording holds the Opus packets that were heard, each after its length.
type recording struct {
	lock  sync.Mutex
	sound bytes.Buffer
}

func (heard *recording) fill(track *webrtc.TrackRemote) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		heard.lock.Lock()
		_ = binary.Write(&heard.sound, binary.BigEndian, uint16(len(packet.Payload)))
		heard.sound.Write(packet.Payload)
		heard.lock.Unlock()
	}
}

func (heard *recording) bytes() []byte {
	heard.lock.Lock()
	defer heard.lock.Unlock()
	return bytes.Clone(heard.sound.Bytes())
}
