"""Downloads: the data of a Space for its host, and everybody's own data, each as one archive."""
