"""Sentences that people say to an assistant, from templates, and what they want."""

import re
from collections.abc import Iterator
from random import Random

from unrolled.data.examples import Example

_EACH = 200

_SLOTS = {
    "ask": ["can you tell me", "could you tell me", "tell me", "do you know", "please tell me", "i would like to know", "i wonder"],
    "will": ["can you", "could you", "would you", "please", "can you please", "i want you to", ""],
    "please": ["", "", "", "please", "if you can"],
    "hey": ["", "", "", "hey,", "hello,", "okay,", "so,", "excuse me,"],
    "place": ["paris", "london", "tokyo", "new york", "berlin", "madrid", "cairo", "lagos", "lima", "oslo", "the city", "my town"],
    "day": ["today", "tomorrow", "on monday", "on friday", "this weekend", "this evening", "on sunday", "next week", "in the morning"],
    "occasion": ["christmas", "easter", "my birthday", "the meeting", "the concert", "the weekend", "new year", "the game"],
    "hour": [
        "six",
        "seven",
        "half past seven",
        "eight o'clock",
        "nine",
        "noon",
        "ten thirty",
        "midnight",
        "five in the morning",
        "quarter to six",
    ],
    "wait": ["ten minutes", "an hour", "two hours", "half an hour", "five minutes", "forty seconds"],
    "room": ["kitchen", "bedroom", "living room", "hall", "bathroom", "garage", "garden", "office", "cellar"],
    "kind": [
        "jazz",
        "rock",
        "classical music",
        "some blues",
        "a quiet song",
        "something by mozart",
        "my favourite album",
        "the radio",
        "piano music",
    ],
    "about": [
        "about cats",
        "about doctors",
        "about school",
        "about computers",
        "about the weather",
        "about time",
        "about music",
        "about lights",
    ],
    "who": ["", "", "my friend", "everybody", "there", "again", "dear assistant", "to you"],
    "sky": ["rain", "snow", "be sunny", "be cold", "be windy", "be warm", "storm", "get foggy"],
    "thing": ["an umbrella", "a coat", "a warm jacket", "sunglasses", "gloves", "boots"],
}

_TEMPLATES = {
    "time": [
        "{hey} what time is it {please}",
        "{hey} what time is it in {place}",
        "{hey} {ask} what time it is {please}",
        "{hey} {ask} the time in {place}",
        "{hey} what is the time {please}",
        "{hey} what's the time in {place} {please}",
        "{hey} how late is it in {place}",
        "{hey} do you have the time {please}",
    ],
    "date": [
        "{hey} what day is it {day}",
        "{hey} what's the date {day}",
        "{hey} {ask} which day {occasion} is on",
        "{hey} when is {occasion} {please}",
        "{hey} how many days until {occasion}",
        "{hey} {ask} the date of {occasion}",
        "{hey} which date is it {please}",
    ],
    "weather": [
        "{hey} will it {sky} {day}",
        "{hey} will it {sky} in {place} {day}",
        "{hey} what's the weather like in {place}",
        "{hey} what is the weather {day}",
        "{hey} {ask} whether it will {sky} {day}",
        "{hey} do i need {thing} {day}",
        "{hey} how cold does it get in {place} {day}",
    ],
    "alarm": [
        "{hey} {will} wake me at {hour}",
        "{hey} {will} set an alarm for {hour} {please}",
        "{hey} {will} wake me up in {wait}",
        "{hey} i have to get up at {hour} {day}",
        "{hey} {will} start a timer for {wait} {please}",
        "{hey} alarm at {hour} {day}",
    ],
    "music": [
        "{hey} {will} play {kind} {please}",
        "{hey} {will} put on {kind} in the {room}",
        "{hey} i want to hear {kind} {please}",
        "{hey} i feel like {kind} {day}",
        "{hey} {will} turn on {kind} {please}",
        "{hey} let me listen to {kind}",
    ],
    "lights": [
        "{hey} {will} turn on the light in the {room}",
        "{hey} {will} switch off the {room} lights {please}",
        "{hey} {will} dim the lights in the {room} at {hour}",
        "{hey} it is too dark in the {room} {please}",
        "{hey} lights off in the {room} {please}",
        "{hey} {will} make the {room} brighter",
    ],
    "joke": [
        "{hey} {will} tell me a joke {about}",
        "{hey} tell me something funny {about} {please}",
        "{hey} do you know a good joke {about}",
        "{hey} {will} make me laugh {please}",
        "{hey} i want to hear a joke {about} {please}",
        "{hey} another joke {about} {please}",
    ],
    "greeting": [
        "hello {who} how are you {day}",
        "good morning {who} {please}",
        "hi {who} nice to see you {day}",
        "good evening {who} how was your day",
        "hey {who} how is it going {day}",
        "hello {who} it is me {please}",
        "good night {who} see you {day}",
        "goodbye {who} see you at {hour}",
        "thank you {who} see you {day}",
    ],
}

_QUESTION = re.compile(r"(\w+( me)?, )?(what|when|which|how|will|do|can|could|would)\b")


def intents() -> Iterator[Example]:
    """Two hundred sentences for each of eight intents, in mixed order: time, date, weather, alarm, music, lights, joke, greeting.

    No two have the same words, whatever their capitals and marks, so that a sentence held out is a new one. Half of them are written with
    a capital and a mark at the end.
    """
    random = Random(23)
    found = [(sentence, intent) for intent, templates in _TEMPLATES.items() for sentence in _sentences(templates, random)]
    random.shuffle(found)
    for number, (sentence, intent) in enumerate(found, 1):
        yield Example(f"builtin:intents, {number}", text=_written(sentence, random), labels=(intent,))


def _sentences(templates: list[str], random: Random) -> list[str]:
    """Different sentences of one intent."""
    found: dict[str, None] = {}
    while len(found) < _EACH:
        chosen = {slot: random.choice(values) for slot, values in _SLOTS.items()}
        found[" ".join(random.choice(templates).format_map(chosen).split())] = None
    return list(found)


def _written(sentence: str, random: Random) -> str:
    if random.random() < 0.5:
        return sentence
    return sentence[0].upper() + sentence[1:] + ("?" if _QUESTION.match(sentence) else ".")
