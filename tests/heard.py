"""What a run says."""

from unrolled.training import Silent


class Heard(Silent):
    """Keeps the lines that stay."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)
