"""`core.wire`: NIP-01's messages, and those of NIP-42, 45, 67 and 77, from and to JSON."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import messages, wire
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from tests.core import strategies as make

EVENT = make.sign(Draft(1_700_000_000, 1, (("t", "REQ"),), "REQ"))
EVENT_JSON = json.loads(EVENT.to_json())
HOSTILE = make.hostile_events()

subscriptions = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
hex_texts = st.binary(max_size=40).map(bytes.hex)
_filters = st.lists(make.filters, min_size=1, max_size=3).map(tuple)

relay_messages: st.SearchStrategy[messages.RelayMessage] = st.one_of(
    st.builds(messages.Delivered, subscriptions, make.events),
    st.builds(messages.Eose, subscriptions, st.lists(make.texts, max_size=3).map(tuple)),
    st.builds(messages.Closed, subscriptions, make.texts),
    st.builds(messages.Ok, make.hexes(32), st.booleans(), make.texts),
    st.builds(messages.Notice, make.texts),
    st.builds(messages.AuthChallenge, make.texts),
    st.builds(
        messages.CountResult,
        subscriptions,
        st.builds(messages.Tally, st.integers(0, 2**53), st.booleans(), make.texts),
    ),
    st.builds(messages.NegMsg, subscriptions, hex_texts),
    st.builds(messages.NegErr, subscriptions, make.texts),
)
client_messages: st.SearchStrategy[messages.ClientMessage] = st.one_of(
    st.builds(messages.Publish, make.events),
    st.builds(messages.Auth, make.events),
    st.builds(messages.Close, subscriptions),
    st.builds(messages.Request, subscriptions, _filters),
    st.builds(messages.Count, subscriptions, _filters),
    st.builds(messages.NegOpen, subscriptions, make.filters, hex_texts),
    st.builds(messages.NegMsg, subscriptions, hex_texts),
    st.builds(messages.NegClose, subscriptions),
)
VERBS = ("EVENT", "EOSE", "CLOSED", "OK", "NOTICE", "AUTH", "COUNT", "REQ", "CLOSE")
NEG_VERBS = ("NEG-OPEN", "NEG-MSG", "NEG-ERR", "NEG-CLOSE")
json_arrays = st.builds(
    lambda verb, rest: json.dumps([verb, *rest]),
    st.sampled_from(VERBS + NEG_VERBS),
    st.lists(make.json_values, max_size=4),
)
anything = st.one_of(st.text(), st.binary(), make.json_values.map(json.dumps), json_arrays)


def spellings(text: str) -> dict[str, str | bytes]:
    """One JSON array of a verb and more, written in every way that means the same."""
    verb = json.loads(text)[0]
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in verb)
    return {
        "compact": text,
        "bytes": text.encode(),
        "space before": " \t\r\n" * 20 + text,
        "space after": text + "\n" * 20,
        "space inside": text.replace("[", "[" + " " * 20, 1),
        "space around the verb": text.replace(f'"{verb}"', f' \n"{verb}"\t ', 1),
        "verb escaped": text.replace(f'"{verb}"', f'"{escaped}"', 1),
        "one letter escaped": text.replace(f'"{verb}"', f'"{escaped[:6]}{verb[1:]}"', 1),
        "indented": json.dumps(json.loads(text), indent=2),
    }


class TestEveryMessage:
    @given(relay_messages)
    def test_what_a_relay_writes_a_client_reads(self, message: messages.RelayMessage) -> None:
        assert wire.decode_relay_message(wire.encode(message)) == message
        assert wire.decode_relay_message(wire.encode(message).encode()) == message

    @given(client_messages)
    def test_what_a_client_writes_a_relay_reads(self, message: messages.ClientMessage) -> None:
        assert wire.decode_client_message(wire.encode(message)) == message
        assert wire.decode_client_message(wire.encode(message).encode()) == message

    @given(st.one_of(relay_messages, client_messages))
    def test_a_message_is_one_line_with_a_json_array_in_it(
        self, message: messages.RelayMessage | messages.ClientMessage
    ) -> None:
        written = wire.encode(message)
        assert "\n" not in written
        read = json.loads(written)
        assert isinstance(read, list)
        assert isinstance(read[0], str)

    def test_the_strategies_above_make_every_kind_of_message(self) -> None:
        """A message added to the unions must be added to the properties."""
        made = {
            "RelayMessage": {
                messages.Delivered,
                messages.Eose,
                messages.Closed,
                messages.Ok,
                messages.Notice,
                messages.AuthChallenge,
                messages.CountResult,
                messages.NegMsg,
                messages.NegErr,
            },
            "ClientMessage": {
                messages.Publish,
                messages.Auth,
                messages.Close,
                messages.Request,
                messages.Count,
                messages.NegOpen,
                messages.NegMsg,
                messages.NegClose,
            },
        }
        for name, classes in made.items():
            assert set(get_args(getattr(wire, name))) == classes

    @given(anything)
    def test_nothing_that_a_relay_sends_raises(self, data: str | bytes) -> None:
        message = wire.decode_relay_message(data)
        assert isinstance(message, messages.RelayMessage | messages.Malformed)

    @given(anything)
    def test_nothing_that_a_client_sends_raises(self, data: str | bytes) -> None:
        message = wire.decode_client_message(data)
        assert isinstance(message, messages.ClientMessage | messages.Malformed)

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_event_in_a_message_never_raises(self, name: str) -> None:
        data, verdict = HOSTILE[name]
        delivered = wire.decode_relay_message(b'["EVENT","s",' + data + b"]")
        published = wire.decode_client_message(b'["EVENT",' + data + b"]")
        if verdict == "accept":
            assert isinstance(delivered, messages.Delivered)
            assert isinstance(published, messages.Publish)
        else:
            assert isinstance(delivered, messages.Delivered | messages.Malformed)
            assert isinstance(published, messages.Publish | messages.Malformed)
        for text in (data, data.decode("utf-8", "surrogateescape")):
            assert isinstance(wire.decode_relay_message(text), messages.Malformed)
            assert isinstance(wire.decode_client_message(text), messages.Malformed)

    @pytest.mark.parametrize(
        "head",
        [
            "",
            '["EOSE","s",',
            '["EVENT","s",',
            '["EVENT",',
            '["REQ","s",',
            '["COUNT","s",{"ids":',
            '["NOTICE","x",',
            '{"a":',
        ],
    )
    @pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
    def test_nesting_of_any_depth_is_malformed_not_fatal(self, head: str, *, closed: bool) -> None:
        depth = 100_000
        data = head + "[" * depth + ("]" * depth + "]}" if closed else "")
        assert isinstance(wire.decode_relay_message(data), messages.Malformed)
        assert isinstance(wire.decode_client_message(data), messages.Malformed)

    @pytest.mark.parametrize(
        "data",
        [
            "",
            "[]",
            "{}",
            "null",
            '"REQ"',
            '["REQ"]',
            "[1]",
            "[null]",
            '[["REQ","s",{}]]',
            "[",
            '["',
        ],
    )
    def test_what_is_no_message_is_malformed_with_a_reason(self, data: str) -> None:
        for message in (wire.decode_relay_message(data), wire.decode_client_message(data)):
            assert isinstance(message, messages.Malformed)
            assert message.reason

    def test_each_side_refuses_the_words_of_the_other(self) -> None:
        request = wire.encode(messages.Request("s", (Filter(),)))
        assert isinstance(wire.decode_relay_message(request), messages.Malformed)
        eose = wire.encode(messages.Eose("s"))
        assert isinstance(wire.decode_client_message(eose), messages.Malformed)

    def test_two_messages_in_one_frame_are_malformed(self) -> None:
        eose = wire.encode(messages.Eose("s"))
        assert isinstance(wire.decode_relay_message(eose + eose), messages.Malformed)


class TestFromARelay:
    @pytest.mark.parametrize("name", spellings('["EOSE","s"]'))
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('["EOSE","s"]', messages.Eose("s")),
            ('["OK","x",true,"duplicate: had it"]', messages.Ok("x", True, "duplicate: had it")),
            ('["NOTICE","EOSE"]', messages.Notice("EOSE")),
            ('["AUTH","challenge"]', messages.AuthChallenge("challenge")),
        ],
        ids=["EOSE", "OK", "NOTICE", "AUTH"],
    )
    def test_a_message_means_the_same_in_every_spelling(
        self, name: str, text: str, message: messages.RelayMessage
    ) -> None:
        assert wire.decode_relay_message(spellings(text)[name]) == message

    @pytest.mark.parametrize(
        ("third", "hints"),
        [
            ("", ()),
            (",[]", ()),
            (',["finish"]', ("finish",)),
            (',["more"]', ("more",)),
            (',["finish","more","x-new",""]', ("finish", "more", "x-new", "")),
        ],
    )
    def test_eose_keeps_all_hints_also_unknown_ones(
        self, third: str, hints: tuple[str, ...]
    ) -> None:
        """NIP-67: unknown hint values are accepted without error."""
        assert wire.decode_relay_message(f'["EOSE","s"{third}]') == messages.Eose("s", hints)

    @pytest.mark.parametrize(
        "third", ["null", '"finish"', "true", "7", "{}", '["finish",7]', "[null]", "[[]]", "[],1"]
    )
    def test_eose_with_hints_that_nobody_can_read_still_ends_the_query(self, third: str) -> None:
        """NIP-67 may grow; an EOSE that is passed over would leave the query waiting."""
        assert wire.decode_relay_message(f'["EOSE","s",{third}]') == messages.Eose("s")
        assert wire.decode_relay_message(f'["EOSE","s",{third}]'.encode()) == messages.Eose("s")

    @pytest.mark.parametrize(
        "data", ['["EOSE"]', '["EOSE",7]', '["EOSE",null,[]]', '["EOSE","s",]']
    )
    def test_eose_for_no_subscription_is_malformed(self, data: str) -> None:
        assert isinstance(wire.decode_relay_message(data), messages.Malformed)

    def test_eose_without_hints_is_written_as_nip_01_has_it(self) -> None:
        assert wire.encode(messages.Eose("s")) == '["EOSE","s"]'
        assert wire.encode(messages.Eose("s", ("finish",))) == '["EOSE","s",["finish"]]'

    @pytest.mark.parametrize("accepted", [True, False])
    def test_ok_without_a_reason_is_understood(self, *, accepted: bool) -> None:
        """NIP-01 says that the fourth element MUST be there; some relays leave it out."""
        data = json.dumps(["OK", "x", accepted])
        assert wire.decode_relay_message(data) == messages.Ok("x", accepted)

    def test_ok_is_written_with_its_reason_also_when_empty(self) -> None:
        """NIP-01: the 4th parameter MUST always be present."""
        assert wire.encode(messages.Ok("x", accepted=True)) == '["OK","x",true,""]'

    @pytest.mark.parametrize("accepted", ["1", '"true"', "null", "0", "[]"])
    def test_ok_says_true_or_false(self, accepted: str) -> None:
        assert isinstance(
            wire.decode_relay_message(f'["OK","x",{accepted},""]'), messages.Malformed
        )

    def test_closed_without_a_reason_is_understood(self) -> None:
        assert wire.decode_relay_message('["CLOSED","s"]') == messages.Closed("s")

    def test_a_delivered_event_is_read_but_not_verified(self) -> None:
        data = json.dumps(["EVENT", "s", {**EVENT_JSON, "content": "forged"}])
        message = wire.decode_relay_message(data)
        assert isinstance(message, messages.Delivered)
        assert message.event.content == "forged"

    @pytest.mark.parametrize(
        ("wire_tally", "tally"),
        [
            ('{"count":5}', messages.Tally(5)),
            ('{"count":5,"approximate":true}', messages.Tally(5, approximate=True)),
            ('{"count":0,"hll":"00ff","new":1}', messages.Tally(0, hll="00ff")),
        ],
    )
    def test_a_count_is_read_with_what_came_with_it(self, wire_tally: str, tally: object) -> None:
        """NIP-45."""
        message = wire.decode_relay_message(f'["COUNT","s",{wire_tally}]')
        assert isinstance(message, messages.CountResult)
        assert message.tally == tally

    def test_a_plain_count_is_written_without_the_optional_fields(self) -> None:
        """NIP-45: an empty `hll` would be a broken one."""
        result = messages.CountResult("s", messages.Tally(5))
        assert wire.encode(result) == '["COUNT","s",{"count":5}]'


class TestFromAClient:
    @pytest.mark.parametrize("name", spellings('["REQ","s",{}]'))
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('["REQ","s",{"kinds":[1]}]', messages.Request("s", (Filter(kinds=(1,)),))),
            ('["COUNT","s",{"kinds":[1]}]', messages.Count("s", (Filter(kinds=(1,)),))),
            ('["REQ","COUNT",{}]', messages.Request("COUNT", (Filter(),))),
            ('["CLOSE","REQ"]', messages.Close("REQ")),
            (json.dumps(["EVENT", EVENT_JSON]), messages.Publish(EVENT)),
            (json.dumps(["AUTH", EVENT_JSON]), messages.Auth(EVENT)),
        ],
        ids=["REQ", "COUNT", "REQ called COUNT", "CLOSE of REQ", "EVENT", "AUTH"],
    )
    def test_a_message_means_the_same_in_every_spelling(
        self, name: str, text: str, message: messages.ClientMessage
    ) -> None:
        assert wire.decode_client_message(spellings(text)[name]) == message

    @pytest.mark.parametrize(
        "data",
        [
            '["REQUEST","s",{}]',
            '["req","s",{}]',
            '["XREQ","s",{}]',
            '["REQ ","s",{}]',
            '["COUNTS","s",{}]',
            '["X","REQ",{}]',
            '["",["REQ","s",{}]]',
            '{"REQ":"s"}',
        ],
    )
    def test_a_verb_that_only_holds_req_or_count_is_malformed(self, data: str) -> None:
        assert isinstance(wire.decode_client_message(data), messages.Malformed)

    @given(subscriptions, st.lists(make.filters, min_size=1, max_size=20))
    def test_a_request_has_any_number_of_filters(
        self, subscription: str, filters: list[Filter]
    ) -> None:
        body = ["REQ", subscription, *(item.to_wire() for item in filters)]
        wanted = messages.Request(subscription, tuple(filters))
        assert wire.decode_client_message(json.dumps(body)) == wanted

    @pytest.mark.parametrize("verb", ["REQ", "COUNT"])
    @pytest.mark.parametrize("subscription", ["x" * 64, "😀" * 64, " ", "\x00"])
    def test_a_subscription_id_has_1_to_64_characters(self, verb: str, subscription: str) -> None:
        message = wire.decode_client_message(json.dumps([verb, subscription, {}]))
        assert not isinstance(message, messages.Malformed)

    @pytest.mark.parametrize("verb", ["REQ", "COUNT"])
    @pytest.mark.parametrize(
        ("rest", "subject"),
        [
            ([], ""),
            ([7, {}], ""),
            ([None, {}], ""),
            (["", {}], ""),
            (["x" * 65, {}], "x" * 65),
            (["s"], "s"),
            (["s", None], "s"),
            (["s", []], "s"),
            (["s", {}, "x"], "s"),
            (["s", {"kinds": 1}], "s"),
            (["s", {}, {"ids": ["short"]}], "s"),
            (["s", {"nope": 1}], "s"),
        ],
        ids=json.dumps,
    )
    def test_a_bad_question_is_malformed_and_names_its_subscription(
        self, verb: str, rest: list[Any], subject: str
    ) -> None:
        """So that a relay can answer CLOSED with the subscription's own id."""
        message = wire.decode_client_message(json.dumps([verb, *rest]))
        assert isinstance(message, messages.Malformed)
        assert message.subject == subject
        assert message.reason


class TestReconciling:
    """NIP-77."""

    OPEN = messages.NegOpen("s", Filter(kinds=(1,)), "6100")

    @pytest.mark.parametrize("name", spellings('["NEG-MSG","s"]'))
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('["NEG-OPEN","s",{"kinds":[1]},"6100"]', OPEN),
            ('["NEG-OPEN","s",{"kinds":[1]},"6100","more",7]', OPEN),
            ('["NEG-MSG","s","61AB"]', messages.NegMsg("s", "61AB")),
            ('["NEG-MSG","s",""]', messages.NegMsg("s", "")),
            ('["NEG-CLOSE","s"]', messages.NegClose("s")),
        ],
    )
    def test_a_client_is_understood_in_every_spelling(
        self, name: str, text: str, message: messages.ClientMessage
    ) -> None:
        assert wire.decode_client_message(spellings(text)[name]) == message

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('["NEG-MSG","s","61ab"]', messages.NegMsg("s", "61ab")),
            ('["NEG-ERR","s","blocked: x"]', messages.NegErr("s", "blocked: x")),
            ('["NEG-ERR","s","blocked: too many query results",1000000]', None),
            ('["NEG-ERR","s"]', messages.NegErr("s", "")),
        ],
    )
    def test_a_relay_is_understood_with_what_it_may_add(
        self, text: str, message: messages.RelayMessage | None
    ) -> None:
        """The most that a relay reconciles can be the 4th element."""
        known = message or messages.NegErr("s", "blocked: too many query results")
        assert wire.decode_relay_message(text) == known

    @pytest.mark.parametrize("verb", ["NEG-OPEN", "NEG-MSG"])
    @pytest.mark.parametrize(
        "said", ["6", "61 00", "zz", "6100\n", "\uff16\uff11", None, 7, ["61"]]
    )
    def test_what_is_not_hex_is_malformed_and_names_its_subscription(
        self, verb: str, said: object
    ) -> None:
        body = [verb, "s", {}, said] if verb == "NEG-OPEN" else [verb, "s", said]
        assert self.subject(wire.decode_client_message(json.dumps(body))) == "s"
        if verb == "NEG-MSG":
            assert self.subject(wire.decode_relay_message(json.dumps(body))) == "s"

    @pytest.mark.parametrize(
        "text",
        [
            '["NEG-OPEN","s"]',
            '["NEG-OPEN","s",{}]',
            '["NEG-OPEN","s","x","61"]',
            '["NEG-OPEN","s",{"nope":1},"61"]',
            '["NEG-OPEN","s",[{}],"61"]',
            '["NEG-MSG","s"]',
            '["NEG-MSG","s",',
            '["NEG-CLOSE","s"',
        ],
    )
    def test_a_client_that_cannot_be_read_is_malformed_with_its_subject(self, text: str) -> None:
        assert self.subject(wire.decode_client_message(text)) == "s"

    @pytest.mark.parametrize("verb", ["NEG-MSG", "NEG-ERR"])
    @pytest.mark.parametrize("rest", ["", ",", ",{}]", ",null]", ",7]"])
    def test_a_relay_that_cannot_be_read_is_malformed_with_its_subject(
        self, verb: str, rest: str
    ) -> None:
        assert self.subject(wire.decode_relay_message(f'["{verb}","s"{rest}')) == "s"

    @pytest.mark.parametrize(
        "text", ['["NEG-OPEN",7,{},"61"]', '["NEG-MSG",7,"61"]', '["NEG-ERR"]']
    )
    def test_a_message_about_nothing_is_malformed(self, text: str) -> None:
        for read in (wire.decode_client_message, wire.decode_relay_message):
            assert self.subject(read(text)) == ""

    def test_only_a_client_opens_and_only_a_relay_fails(self) -> None:
        opened = wire.encode(self.OPEN)
        assert isinstance(wire.decode_relay_message(opened), messages.Malformed)
        failed = wire.encode(messages.NegErr("s", "x"))
        assert isinstance(wire.decode_client_message(failed), messages.Malformed)

    @staticmethod
    def subject(message: object) -> str:
        assert isinstance(message, messages.Malformed)
        assert message.reason
        return message.subject


class TestPrefix:
    @pytest.mark.parametrize(
        ("reason", "prefix"),
        [
            ("duplicate: already have this event", "duplicate"),
            ("auth-required: we can't serve DMs", "auth-required"),
            ("rate-limited:", "rate-limited"),
            ("blocked: see https://example.com", "blocked"),
            ("see https://example.com", ""),
            ("no prefix", ""),
            ("duplicate", ""),
            (": nothing before it", ""),
            ("", ""),
        ],
    )
    def test_the_prefix_is_the_single_word_before_the_colon(self, reason: str, prefix: str) -> None:
        """NIP-01: a machine-readable single-word prefix followed by a `:`."""
        assert wire.prefix_of(reason) == prefix

    @given(make.texts)
    def test_the_prefix_of_any_text_begins_it_and_holds_no_space(self, reason: str) -> None:
        prefix = wire.prefix_of(reason)
        assert reason.startswith(prefix)
        assert " " not in prefix
