"""A real relay for social audio: rules, sound, protocols, data plane and control plane."""
