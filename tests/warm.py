"""Compile the kernels before the tests: ``make test`` runs this, since tests hear sound in real time.

One server is started until it is ready. With kernels compiled that takes seconds, the first time minutes.
"""

from loadtest import lab

if __name__ == "__main__":
    with lab.server():
        pass
