"""`core.event`: NIP-01's shape, canonical bytes, ids and signatures."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND, Draft, Event, verify
from nostr_threads.errors import InvalidEvent, InvalidInput
from tests.core import strategies as make

ESCAPES = make.load("nip01/escapes.peer-ids.json")["cases"]
REAL = make.load("nip01/serialization.real_events.json")["cases"]
HOSTILE = make.hostile_events()
GOOD = make.sign(Draft(1_700_000_000, 1, (("e", "1" * 64), ("t", "nostr")), "hello"))


def wire_with(**fields: Any) -> str:
    """The JSON of a good event with some fields replaced; Ellipsis leaves one out."""
    whole = {**json.loads(GOOD.to_json()), **fields}
    return json.dumps({name: value for name, value in whole.items() if value is not ...})


class TestVectors:
    @pytest.mark.parametrize("case", ESCAPES, ids=lambda case: case["name"])
    def test_an_id_is_the_one_that_two_peers_compute(self, case: dict[str, Any]) -> None:
        """NIP-01, as the network reads its escaping rule."""
        given_event = case["event"]
        tags = tuple(tuple(tag) for tag in given_event["tags"])
        draft = Draft(given_event["created_at"], given_event["kind"], tags, given_event["content"])
        assert draft.id_for(given_event["pubkey"]) == case["nostr_tools_id"]
        assert draft.id_for(given_event["pubkey"]) == case["rust_nostr_id"]

    @pytest.mark.parametrize("case", REAL, ids=lambda case: case["event"]["id"][:8])
    def test_a_real_event_verifies(self, case: dict[str, Any]) -> None:
        event = Event.from_json(json.dumps(case["event"]))
        assert verify(event) is event

    @pytest.mark.parametrize("line", make.sample_lines(), ids=lambda line: line[7:15])
    def test_a_sampled_event_verifies_and_survives_a_round_trip(self, line: str) -> None:
        event = Event.from_json(line)
        verify(event)
        assert json.loads(event.to_json()) == json.loads(line)

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_event_gets_the_verdict_of_all_peers(self, name: str) -> None:
        data, verdict = HOSTILE[name]
        assert verdict in ("accept", "reject")
        if verdict == "accept":
            verify(Event.from_json(data))
        else:
            with pytest.raises(InvalidEvent):
                verify(Event.from_json(data))

    def test_the_hostile_set_holds_both_verdicts(self) -> None:
        assert {verdict for _, verdict in HOSTILE.values()} == {"accept", "reject"}


class TestJson:
    @given(make.events)
    def test_from_json_undoes_to_json(self, event: Event) -> None:
        assert Event.from_json(event.to_json()) == event
        assert Event.from_json(event.to_json().encode()) == event

    @given(make.events)
    def test_to_json_is_one_line_that_any_json_reader_takes(self, event: Event) -> None:
        """A line of JSONL ends where `\\n` is; the standard library is the independent reader."""
        written = event.to_json()
        assert "\n" not in written
        assert "\r" not in written
        assert json.loads(written) == {
            "id": event.id,
            "pubkey": event.pubkey,
            "created_at": event.created_at,
            "kind": event.kind,
            "tags": [list(tag) for tag in event.tags],
            "content": event.content,
            "sig": event.sig,
        }

    def test_fields_are_written_in_the_order_of_nip_01(self) -> None:
        names = ["id", "pubkey", "created_at", "kind", "tags", "content", "sig"]
        assert list(json.loads(GOOD.to_json())) == names

    @given(make.events)
    def test_escaped_and_verbatim_spellings_are_the_same_event(self, event: Event) -> None:
        escaped = json.dumps(json.loads(event.to_json()), ensure_ascii=True, indent=1)
        assert Event.from_json(escaped) == event

    @given(st.one_of(st.text(), st.binary(), make.json_values.map(json.dumps)))
    def test_from_json_raises_nothing_but_invalid_event(self, data: str | bytes) -> None:
        with pytest.raises(InvalidEvent) as caught:
            Event.from_json(data)
        assert caught.value.reason

    @given(
        st.sampled_from(("id", "pubkey", "created_at", "kind", "tags", "content", "sig")),
        make.json_values,
    )
    def test_any_value_in_any_field_is_taken_or_refused_as_invalid(
        self, name: str, value: Any
    ) -> None:
        try:
            event = Event.from_json(wire_with(**{name: value}))
        except InvalidEvent:
            return
        read = json.loads(event.to_json())[name]
        assert read == value
        assert type(read) is type(value)

    @given(st.integers(0, len(GOOD.to_json()) - 1))
    def test_an_event_cut_short_is_refused(self, length: int) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json()[:length])

    def test_unknown_fields_are_dropped(self) -> None:
        """They are not signed, so they are nobody's words."""
        assert Event.from_json(wire_with(seen_on=["wss://relay"], verified=True)) == GOOD

    @pytest.mark.parametrize(
        "name", ["id", "pubkey", "created_at", "kind", "tags", "content", "sig"]
    )
    def test_a_missing_field_is_refused_by_name(self, name: str) -> None:
        with pytest.raises(InvalidEvent, match=f"`{name}`"):
            Event.from_json(wire_with(**{name: ...}))

    @pytest.mark.parametrize("value", [1.0, 1.5, 1e300, True, False, None, "1", [1], {}])
    @pytest.mark.parametrize("name", ["kind", "created_at"])
    def test_a_number_is_a_whole_number_and_nothing_like_it(self, name: str, value: object) -> None:
        with pytest.raises(InvalidEvent, match=name):
            Event.from_json(wire_with(**{name: value}))

    @pytest.mark.parametrize(
        "spelling", ["1e0", "1.0", "01", "+1", "0x1", "1_0", "NaN", "Infinity"]
    )
    def test_no_other_spelling_of_a_whole_number_is_taken(self, spelling: str) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json().replace('"kind":1,', f'"kind":{spelling},'))

    @pytest.mark.parametrize(
        ("name", "digits"),
        [
            ("kind", "-1"),
            ("kind", str(MAX_KIND + 1)),
            ("kind", "-" + "9" * 4000),
            ("created_at", "-1"),
            ("created_at", str(MAX_CREATED_AT + 1)),
            ("created_at", str(2**64)),
            ("created_at", "9" * 4300),
            ("created_at", "9" * 100_000),
        ],
        ids=lambda text: text[:8],
    )
    def test_a_number_out_of_range_is_refused_in_a_short_sentence(
        self, name: str, digits: str
    ) -> None:
        """NIP-01: a kind is 0 to 65535. A stranger's number of any length is not repeated."""
        wire = wire_with(**{name: 77777}).replace("77777", digits)
        with pytest.raises(InvalidEvent, match=name) as caught:
            Event.from_json(wire)
        assert len(str(caught.value)) < 100

    @pytest.mark.parametrize(("kind", "created_at"), [(0, 0), (MAX_KIND, MAX_CREATED_AT)])
    def test_the_ends_of_the_ranges_are_inside(self, kind: int, created_at: int) -> None:
        event = Event.from_json(wire_with(kind=kind, created_at=created_at))
        assert (event.kind, event.created_at) == (kind, created_at)

    @pytest.mark.parametrize(
        "tags",
        [
            [["e", 1]],
            [["e", None]],
            [["e", True]],
            [["e", 1.5]],
            [["e", ["nested"]]],
            [["e", {"a": "b"}]],
            ["e"],
            [None],
            [{"0": "e"}],
            {},
            "tags",
            None,
        ],
        ids=json.dumps,
    )
    def test_tags_are_lists_of_strings_and_nothing_else(self, tags: object) -> None:
        """NIP-01: an array of arrays of non-null strings, even if id and signature would fit."""
        with pytest.raises(InvalidEvent, match="tags"):
            Event.from_json(wire_with(tags=tags))

    @pytest.mark.parametrize("name", ["id", "pubkey", "sig"])
    @pytest.mark.parametrize(
        "change",
        [
            str.upper,
            lambda value: value[:-1],
            lambda value: value + "0",
            lambda _: "",
            lambda value: value[:-1] + "g",
            lambda value: value[:-1] + "\n",
            lambda value: " " + value[1:],
            lambda value: value[:-1] + "\uff11",
        ],
        ids=[
            "upper case",
            "short",
            "long",
            "empty",
            "not hex",
            "line break",
            "space",
            "wide digit",
        ],
    )
    def test_hex_is_lower_case_and_of_full_length(self, name: str, change: Any) -> None:
        good = json.loads(GOOD.to_json())
        good["id"] = "ab" * 32
        changed = change({"id": good["id"], "pubkey": good["pubkey"], "sig": good["sig"]}[name])
        with pytest.raises(InvalidEvent, match=f"{name} is not"):
            Event.from_json(wire_with(**{name: changed}))

    @pytest.mark.parametrize(
        "escape", [r"\ud800", r"\udc00", r"\udc00\ud800", r"\ud800x", r"\ud800A"]
    )
    def test_an_escaped_lone_surrogate_is_refused(self, escape: str) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json().replace("hello", escape))

    def test_an_escaped_surrogate_pair_is_one_character(self) -> None:
        event = Event.from_json(GOOD.to_json().replace("hello", r"\ud83d\ude00"))
        assert event.content == "😀"

    @pytest.mark.parametrize("raw", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
    def test_bytes_that_are_not_utf_8_are_refused(self, raw: bytes) -> None:
        with pytest.raises(InvalidEvent, match="not UTF-8"):
            Event.from_json(GOOD.to_json().encode().replace(b"hello", raw))

    @pytest.mark.parametrize("control", ["\x00", "\n", "\x1f"])
    def test_a_bare_control_character_in_a_string_is_no_json(self, control: str) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json().replace("hello", control))

    def test_of_two_fields_with_one_name_the_last_counts_and_must_be_true(self) -> None:
        """JSON readers differ here; whichever is read, an id that does not fit it is refused."""
        forged = GOOD.to_json()[:-1] + ',"content":"forged"}'
        event = Event.from_json(forged)
        assert event.content == "forged"
        with pytest.raises(InvalidEvent, match="id"):
            verify(event)

    @pytest.mark.parametrize("opening", ['{"a":', "[", '{"tags":[', '{"id":"x","z":['])
    def test_nesting_of_any_depth_is_refused_not_fatal(self, opening: str) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(opening * 100_000)
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json()[:-1] + ',"z":' + "[" * 100_000 + "]" * 100_000 + "}")

    @pytest.mark.parametrize("tail", ["{}", "x", "\x00", ","])
    def test_nothing_may_follow_an_event(self, tail: str) -> None:
        with pytest.raises(InvalidEvent):
            Event.from_json(GOOD.to_json() + tail)

    def test_white_space_around_an_event_is_json_too(self) -> None:
        assert Event.from_json(f" \t\r\n{GOOD.to_json()}\n") == GOOD


class TestVerify:
    @given(make.signed_events)
    def test_whatever_was_signed_verifies_also_after_a_round_trip(self, event: Event) -> None:
        verify(event)
        verify(Event.from_json(event.to_json()))

    @given(make.signed_events, make.drafts)
    def test_an_event_with_another_body_does_not_verify(self, event: Event, other: Draft) -> None:
        for name in ("created_at", "kind", "tags", "content"):
            if getattr(other, name) != getattr(event, name):
                with pytest.raises(InvalidEvent, match="id"):
                    verify(_replaced(event, name, getattr(other, name)))

    @given(make.signed_events, st.integers(0, 255), st.sampled_from(("id", "pubkey")))
    def test_one_flipped_bit_in_id_or_pubkey_is_found(
        self, event: Event, bit: int, name: str
    ) -> None:
        with pytest.raises(InvalidEvent):
            verify(_replaced(event, name, _flip(getattr(event, name), bit)))

    @given(make.signed_events, st.integers(0, 511))
    def test_one_flipped_bit_in_the_signature_is_found(self, event: Event, bit: int) -> None:
        with pytest.raises(InvalidEvent, match="signature"):
            verify(replace(event, sig=_flip(event.sig, bit)))

    @given(make.drafts)
    def test_the_signature_of_another_author_is_refused(self, draft: Draft) -> None:
        mine, theirs = make.sign(draft, make.ALICE), make.sign(draft, make.BOB)
        with pytest.raises(InvalidEvent, match="signature"):
            verify(replace(mine, sig=theirs.sig))
        with pytest.raises(InvalidEvent, match="id"):
            verify(replace(mine, pubkey=theirs.pubkey))

    @pytest.mark.parametrize("name", ["id", "pubkey", "sig"])
    def test_upper_case_hex_does_not_verify(self, name: str) -> None:
        with pytest.raises(InvalidEvent):
            verify(_replaced(GOOD, name, getattr(GOOD, name).upper()))

    @pytest.mark.parametrize("name", ["kind", "created_at"])
    @pytest.mark.parametrize("value", [-1, 2**53, 2**80])
    def test_an_event_built_with_an_impossible_number_is_refused(
        self, name: str, value: int
    ) -> None:
        with pytest.raises(InvalidEvent, match=name):
            verify(_replaced(GOOD, name, value))

    @pytest.mark.parametrize(
        "broken",
        [
            replace(GOOD, content="\ud800"),
            replace(GOOD, tags=(("t", "a\udfff"),)),
            replace(GOOD, pubkey="\ud800" * 64),
        ],
        ids=["content", "tag", "pubkey"],
    )
    def test_a_lone_surrogate_in_a_built_event_is_refused(self, broken: Event) -> None:
        """No UTF-8 can carry it, so there is no id it could have."""
        with pytest.raises(InvalidEvent, match="surrogate"):
            verify(broken)

    def test_a_draft_with_a_lone_surrogate_has_no_id(self) -> None:
        with pytest.raises(InvalidEvent, match="surrogate"):
            Draft(1, 1, (), "\udcff").id_for(GOOD.pubkey)

    def test_a_signature_or_id_in_another_alphabet_is_refused(self) -> None:
        with pytest.raises(InvalidEvent):
            verify(replace(GOOD, sig="é" * 128))
        with pytest.raises(InvalidEvent):
            verify(replace(GOOD, id="\ud800"))


class TestValues:
    def test_an_invalid_event_is_a_value_error_that_says_why(self) -> None:
        """The promise of `errors`: callers may catch ValueError, people read the sentence."""
        with pytest.raises(ValueError, match="invalid event: ") as caught:
            Event.from_json("{}")
        assert isinstance(caught.value, InvalidInput)
        assert isinstance(caught.value, InvalidEvent)
        assert str(caught.value) == f"invalid event: {caught.value.reason}"
        assert caught.value.exit_code == 2

    def test_the_reason_names_the_place_without_the_decoders_notation(self) -> None:
        with pytest.raises(InvalidEvent) as caught:
            Event.from_json(wire_with(tags=[["e", 1]]))
        assert caught.value.reason == "expected `str`, got `int` - at `tags[0][1]`"
        with pytest.raises(InvalidEvent) as caught:
            Event.from_json("[]")
        assert "$" not in caught.value.reason

    @given(make.events)
    def test_tag_values_are_the_first_values_in_order(self, event: Event) -> None:
        for name in {tag[0] for tag in event.tags if tag}:
            wanted = [tag[1] for tag in event.tags if tag[:1] == (name,) and len(tag) >= 2]
            assert list(event.tag_values(name)) == wanted

    def test_tag_values_pass_over_tags_without_a_value(self) -> None:
        event = make.event(tags=((), ("t",), ("t", ""), ("t", "a", "b"), ("u", "c")))
        assert event.tag_values("t") == ("", "a")

    def test_a_draft_takes_tags_as_lists(self) -> None:
        lists: Any = [["e", "1" * 64], ["t", "nostr"]]
        draft = Draft(1_700_000_000, 1, lists, "hello")
        assert draft == Draft(1_700_000_000, 1, (("e", "1" * 64), ("t", "nostr")), "hello")
        assert make.sign(draft).id == GOOD.id

    @given(make.drafts)
    def test_a_draft_and_its_event_have_one_id(self, draft: Draft) -> None:
        event = make.sign(draft)
        assert draft.id_for(event.pubkey) == event.id

    @given(make.events)
    def test_events_are_values_that_can_be_put_in_a_set(self, event: Event) -> None:
        assert {event, Event.from_json(event.to_json())} == {event}


def _replaced(event: Event, name: str, value: Any) -> Event:
    return replace(event, **{name: value})


def _flip(digits: str, bit: int) -> str:
    raw = bytearray.fromhex(digits)
    raw[bit // 8] ^= 1 << bit % 8
    return raw.hex()
