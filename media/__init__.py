"""A real relay for social audio: rules, sound, protocols, data plane and control plane."""

from media.kernels import keep_apart

keep_apart()
