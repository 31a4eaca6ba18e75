"""The data plane at run time: one UDP port, one media thread, live rooms."""
