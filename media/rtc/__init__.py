"""Protocol state machines of WebRTC and the native fan-out. No sockets opened, no clock read."""
