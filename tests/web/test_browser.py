"""The viewer in a real browser: read, folded, searched, answered, and kept from harm."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from nostr_threads.core import kinds, nip19
from nostr_threads.core.event import Draft
from nostr_threads.render.contracts import event_object
from nostr_threads.render.html.links import anchor
from nostr_threads.render.wording import npub, short_key
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import FaultyRelay, thread
from tests.app.worlds import ALICE, BOB, CAROL, DAVE, NOW
from tests.relayd.peers import stocked
from tests.render.threads import split_answer
from tests.web.conftest import tab
from tests.web.viewers import RELAY, SECONDS, viewing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from playwright.async_api import Browser, Page, Route

    from tests.web.conftest import Tab

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer", NOW + 9)
LATER = CAROL.reply(ANSWER, "a later one", NOW + 20)
OTHER = DAVE.reply(ROOT, "another answer", NOW + 30)
THREAD = [ROOT, ANSWER, LATER, OTHER]
PLACE = f"/t/{nip19.encode(nip19.Note(ROOT.id))}"
TEXT = "\n\n".join(f"Paragraph {number} says something. " * 6 for number in range(9)).strip()


def note(page: Page, event: Any) -> Any:
    return page.locator(f"#{anchor(event.id)}")


async def test_a_thread_is_read_and_folded(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto("/")
        await page.get_by_role("link", name="the question").click()
        await expect(page.locator("article.note")).to_have_count(4)
        button = note(page, ANSWER).get_by_role("button", name="Fold 1 below")
        await button.click()
        await expect(note(page, LATER)).to_be_hidden()
        await expect(note(page, OTHER)).to_be_visible()
        shut = note(page, ANSWER).get_by_role("button", name="Show 1 below")
        await expect(shut).to_have_attribute("aria-expanded", "false")
        await note(page, ROOT).get_by_role("button", name="Fold 3 below").click()
        await expect(note(page, OTHER)).to_be_hidden()
        await note(page, ROOT).get_by_role("button", name="Show 3 below").click()
        # What was folded by itself stays so.
        await expect(note(page, OTHER)).to_be_visible()
        await expect(note(page, LATER)).to_be_hidden()
    assert opened.strangers == []


async def test_the_keyboard_is_enough(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        for press, where in (("j", ROOT), ("j", ANSWER), ("j", LATER), ("u", ANSWER)):
            await page.keyboard.press(press)
            await expect(note(page, where)).to_be_focused()
        await page.keyboard.press("x")
        await expect(note(page, LATER)).to_be_hidden()
        await page.keyboard.press("j")
        await expect(note(page, OTHER)).to_be_focused()
        await page.keyboard.press("k")
        await expect(note(page, ANSWER)).to_be_focused()
        await page.keyboard.press("r")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()


async def test_a_search_finds_a_note_and_leads_to_its_place(
    browser: Browser, tmp_path: Path
) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto("/")
        await page.get_by_role("searchbox").fill("later")
        await page.get_by_role("button", name="Find").click()
        await expect(page.locator("ol.hits mark")).to_have_text("later")
        await page.locator("a.permalink").click()
        await expect(page).to_have_url(re.compile(rf"{re.escape(PLACE)}#{anchor(LATER.id)}$"))


async def test_a_reply_comes_in_while_the_page_is_open(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await note(page, ANSWER).get_by_role("button", name="Fold 1 below").click()
        fresh = CAROL.reply(OTHER, "just now", NOW + 40)
        below = CAROL.reply(LATER, "below a folded one", NOW + 41)
        viewer.store(fresh, below)
        await expect(note(page, fresh)).to_have_text(re.compile("just now"))
        await expect(page.get_by_role("status").first).to_have_text("2 new notes")
        order = await page.locator("article.note").evaluate_all("all => all.map(n => n.dataset.id)")
        assert order == [each.id for each in (ROOT, ANSWER, LATER, below, OTHER, fresh)]
        await expect(note(page, below)).to_be_hidden()
        await expect(note(page, OTHER).get_by_role("button", name="Fold 1 below")).to_be_visible()


async def test_what_comes_in_disturbs_nobody_who_reads(browser: Browser, tmp_path: Path) -> None:
    """Focus, what was opened, and where one is on the page stay."""
    warned = DAVE.reply(ROOT, "the end", NOW + 40, tags=(("content-warning", "spoiler"),))
    pictured = DAVE.reply(ROOT, "https://pictures.example/a.png", NOW + 41)
    filler = [BOB.reply(ROOT, "words " * 200, NOW + 42 + number) for number in range(6)]
    events = [*THREAD, warned, pictured, *filler]
    async with viewing(tmp_path, events) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.context.route("https://pictures.example/**", lambda route: route.abort())
        await page.goto(PLACE)
        await note(page, warned).locator("summary").click()
        await note(page, pictured).get_by_role("link", name="a.png").click()
        button = note(page, ANSWER).get_by_role("button", name="Reply")
        await note(page, filler[-1]).scroll_into_view_if_needed()
        await button.focus()
        top = "document.activeElement.getBoundingClientRect().top"
        before = await page.evaluate(top)
        viewer.store(late := CAROL.reply(filler[-1], "just now", NOW + 99))
        await expect(note(page, late)).to_be_attached()
        await expect(button).to_be_focused()
        assert abs(await page.evaluate(top) - before) < 2
        await expect(note(page, warned).locator(".text")).to_be_visible()
        await expect(note(page, pictured).locator("iframe")).to_have_count(1)
        opened.faults.clear()  # the picture that is not there


async def test_what_has_another_place_now_is_moved_there(browser: Browser, tmp_path: Path) -> None:
    known = BOB.reply(ROOT, "known", NOW + 1)
    late = CAROL.reply(known, "late", NOW + 90)
    lost = DAVE.reply(known, "lost", NOW + 2)
    below = ALICE.reply(lost, "below", NOW + 3)
    deeper = BOB.reply(below, "deeper", NOW + 4)
    world = [ROOT, known, late, below, deeper]
    async with viewing(tmp_path, world) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await expect(page.locator("article.note")).to_have_count(6)
        viewer.store(lost)
        await expect(note(page, lost)).to_have_class(re.compile("state-present"))
        shown = "all => all.map(n => [n.dataset.id, n.dataset.depth, n.closest('li').className])"
        live = await page.locator("article.note").evaluate_all(shown)
        await page.reload()
        assert live == await page.locator("article.note").evaluate_all(shown)
        assert [each[0] for each in live] == [
            event.id for event in (ROOT, known, lost, below, deeper, late)
        ]


async def test_ones_own_answers_from_elsewhere_come_in(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await expect(page.locator("article.note")).to_have_count(4)
        mine = DAVE.reply(ROOT, "by a bot of mine", NOW + 60)
        with SqliteStore(viewer.path) as store:
            store.enqueue(Posting((mine,), (RELAY,), 1, NOW))
        await expect(note(page, mine)).to_be_visible()


async def test_an_empty_list_fills(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto("/")
        await expect(page.locator(".threads li")).to_have_count(0)
        viewer.store(ROOT)
        await expect(page.locator(".threads li")).to_have_count(1)


async def test_a_link_to_a_part_leads_to_where_it_begins(browser: Browser, tmp_path: Path) -> None:
    parts = split_answer(BOB, ROOT, "\n".join(f"line {number}" for number in range(200)), 4)
    last = nip19.encode(nip19.Note(parts[3].id))
    async with viewing(tmp_path, [ROOT, *parts]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(f"/n/{last}")
        await expect(page.locator(f"#{anchor(parts[3].id)}")).to_be_in_viewport()
        assert await page.evaluate("scrollY") > 1000
        await page.locator(".seams summary").click()
        await page.locator("a.part").nth(1).click()
        await expect(page.locator(f"#{anchor(parts[1].id)}")).to_be_in_viewport()


async def test_a_link_below_what_is_folded_unfolds_it(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await note(page, ROOT).get_by_role("button", name="Fold 3 below").click()
        await note(page, ANSWER).locator(".fold").evaluate("button => button.click()")
        await page.evaluate(f"location.hash = '{anchor(LATER.id)}'")
        await expect(note(page, LATER)).to_be_focused()


async def test_another_token_does_not_take_the_place_of_the_right_one(
    browser: Browser, tmp_path: Path
) -> None:
    """Any page may lead here with a token of its own."""
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(viewer.address.secret)
        await page.goto(f"{viewer.address.url}#token=bogus")
        await expect(page.get_by_role("status").last).to_have_text(re.compile("not, or no more"))
        await page.goto(PLACE)
        await page.get_by_role("button", name="Mark as read").click()
        await expect(page.locator(".note.new")).to_have_count(0)
        opened.faults.clear()  # the refusal


async def test_the_keys_can_be_switched_off(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await page.keyboard.press("?")
        await page.get_by_role("button", name="Switch these keys off").click()
        await page.keyboard.press("j")
        await expect(page.locator(".note.here")).to_have_count(0)
        await page.keyboard.press("?")
        await page.get_by_role("button", name="Switch the keys on").click()
        await page.keyboard.press("j")
        await expect(note(page, ROOT)).to_be_focused()


async def test_a_missing_note_that_comes_takes_its_place(browser: Browser, tmp_path: Path) -> None:
    world = [ROOT, LATER]
    async with viewing(tmp_path, world) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await expect(note(page, ANSWER)).to_have_class(re.compile("state-missing"))
        viewer.store(ANSWER)
        await expect(note(page, ANSWER)).to_have_class(re.compile("state-present"))
        await expect(page.locator("article.note")).to_have_count(3)


async def test_the_list_shows_what_comes_in(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto("/")
        await expect(page.locator(".threads li")).to_have_count(1)
        viewer.store(DAVE.note("a new thread", NOW + 50))
        await expect(page.locator(".threads li")).to_have_count(2)


async def test_what_was_read_is_marked(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await expect(page.get_by_role("button", name="Mark as read")).to_be_hidden()
        await page.goto(viewer.address.secret)
        assert viewer.address.token not in page.url
        await page.goto(PLACE)
        await expect(page.locator(".note.new")).to_have_count(4)
        await page.get_by_role("button", name="Mark as read").click()
        await expect(page.locator(".note.new")).to_have_count(0)
        await page.reload()
        await expect(page.locator("article.note")).to_have_count(4)
        await expect(page.locator(".note.new")).to_have_count(0)


async def test_more_is_looked_for_when_it_is_asked_for(browser: Browser, tmp_path: Path) -> None:
    async with (
        FaultyRelay(stocked(THREAD)) as relay,
        viewing(tmp_path, [ROOT], relay.url) as viewer,
        tab(browser, viewer) as opened,
    ):
        page = opened.page
        await page.goto(viewer.address.secret)
        await page.goto(PLACE)
        await page.get_by_role("button", name="Look for more at the relays").click()
        await expect(page.locator("article.note")).to_have_count(4)
        await expect(page.locator("section.whole")).to_have_text(
            re.compile("1 of 1 relay answered wholly")
        )
        await expect(page.get_by_role("button", name="Look for more")).to_be_enabled()
    assert opened.strangers == []


async def extension(page: Page) -> None:
    """A browser's extension (NIP-07) with Dave's key."""

    def sign(draft: dict[str, Any]) -> dict[str, object]:
        tags = tuple(map(tuple, draft["tags"]))
        made = Draft(draft["created_at"], draft["kind"], tags, draft["content"])
        return event_object(DAVE.sign(made))

    await page.expose_function("signedByDave", sign)
    await page.add_init_script(
        "window.nostr = {"
        f"getPublicKey: async () => '{DAVE.pubkey}',"
        "signEvent: (draft) => window.signedByDave(draft) };"
    )


async def hesitant(page: Page) -> None:
    """The same, which waits until `agree` is called."""
    await extension(page)
    await page.add_init_script(
        "const sign = window.nostr.signEvent;"
        "window.nostr.signEvent = async (draft) => {"
        "await new Promise((go) => { window.agree = go; }); return sign(draft); };"
    )


async def unwilling(page: Page) -> None:
    """One whose owner does not want to sign."""
    await page.add_init_script(
        f"window.nostr = {{getPublicKey: async () => '{DAVE.pubkey}',"
        "signEvent: async () => { throw new Error('User rejected'); }};"
    )


@asynccontextmanager
async def answerable(
    browser: Browser, folder: Path, signer: Callable[[Page], Awaitable[None]]
) -> AsyncIterator[tuple[FaultyRelay, Tab]]:
    """Open the thread, which is at a relay too, with the token and somebody who signs."""
    async with (
        FaultyRelay(stocked(THREAD)) as relay,
        viewing(folder, THREAD, relay.url) as viewer,
        tab(browser, viewer) as opened,
    ):
        await signer(opened.page)
        await opened.page.goto(viewer.address.secret)
        await opened.page.goto(PLACE)
        yield relay, opened


async def test_an_answer_is_written_signed_and_arrives(browser: Browser, tmp_path: Path) -> None:
    async with answerable(browser, tmp_path, extension) as (relay, opened):
        page = opened.page
        await note(page, LATER).get_by_role("button", name="Reply").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Characters in a part").fill("500")
        await dialog.get_by_label("Your reply").fill(TEXT)
        await expect(dialog.locator("#parts li").nth(2)).to_have_text(re.compile("Paragraph"))
        await dialog.get_by_role("button", name="Prepare").click()
        await expect(dialog.locator("#going")).to_have_text(
            f"As {short_key(DAVE.pubkey)}, to {relay.url}"
        )
        await dialog.get_by_label("Your reply").press_sequentially("!")
        await expect(dialog.get_by_role("button", name="Sign and send")).to_be_hidden()
        await dialog.get_by_role("button", name="Prepare").click()
        await dialog.get_by_role("button", name="Sign and send").click()
        await expect(dialog.locator("#sending")).to_have_text(re.compile("^Sent: "))
        await expect(dialog.get_by_label("Your reply")).to_be_hidden()
        parts = await dialog.locator("#parts li").count()
        await dialog.get_by_role("button", name="Close").click()
        mine = page.locator("article.note", has_text="Paragraph 8")
        await expect(mine).to_have_count(1)
        await expect(mine.locator("summary")).to_have_text(f"{parts} notes, one text")
        there = relay.store.thread(ROOT.id)
    assert parts > 2
    assert sum(event.pubkey == DAVE.pubkey for event in there) == parts + 1
    assert opened.strangers == []


async def test_another_reply_may_be_written_while_one_is_signed(
    browser: Browser, tmp_path: Path
) -> None:
    """Neither takes the other's draft away, and none is sent twice."""
    async with answerable(browser, tmp_path, hesitant) as (_, opened):
        page = opened.page
        field = page.get_by_label("Your reply")
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await field.fill("To the root.")
        await page.get_by_role("button", name="Prepare").click()
        await page.get_by_role("button", name="Sign and send").click()
        await expect(page.locator("#sending")).to_have_text("Signing note 1 of 1 …")
        await page.keyboard.press("Escape")
        await note(page, OTHER).get_by_role("button", name="Reply").click()
        await field.fill("To the other.")
        await page.evaluate("window.agree()")
        await expect(page.locator("article.note", has_text="To the root.")).to_have_count(1)
        await expect(field).to_have_value("To the other.")
        await page.get_by_role("button", name="Close").click()
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await expect(field).to_have_value("")
        await page.get_by_role("button", name="Close").click()
        await note(page, OTHER).get_by_role("button", name="Reply").click()
        await expect(field).to_have_value("To the other.")


async def test_what_was_prepared_is_what_is_written(browser: Browser, tmp_path: Path) -> None:
    """Whatever is written or chosen while the relays are asked, nothing else is signed."""
    async with answerable(browser, tmp_path, extension) as (_, opened):
        page = opened.page
        held: list[Route] = []
        await page.route("**/answer/plan", lambda route: held.append(route))
        field, sign = (
            page.get_by_label("Your reply"),
            page.get_by_role("button", name="Sign and send"),
        )
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await field.fill("To the root.")
        async with page.expect_request("**/answer/plan"):
            await page.get_by_role("button", name="Prepare").click()
        await page.keyboard.press("Escape")
        await note(page, OTHER).get_by_role("button", name="Reply").click()
        await field.fill("To the other.")
        async with page.expect_response("**/answer/plan"):
            await held.pop().continue_()
        await expect(page.get_by_role("button", name="Prepare")).to_be_enabled()
        await expect(sign).to_be_hidden()
        async with page.expect_request("**/answer/plan"):
            await page.get_by_role("button", name="Prepare").click()
        await field.press_sequentially("!")
        async with page.expect_response("**/answer/plan"):
            await held.pop().continue_()
        await expect(page.get_by_role("button", name="Prepare")).to_be_enabled()
        await expect(sign).to_be_hidden()
        await expect(field).to_have_value("To the other.!")


async def test_what_is_gone_goes_and_pages_that_are_gone_end_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    parts = split_answer(BOB, ROOT, "one two three four", 2)
    notes = [DAVE.reply(ROOT, str(number), NOW + 50 + number) for number in range(98)]
    async with (
        viewing(tmp_path, [ROOT, parts[1], *notes]) as viewer,
        tab(browser, viewer) as opened,
    ):
        page = opened.page
        await page.goto(PLACE)
        await page.locator("article.note").last.scroll_into_view_if_needed()
        await expect(page.locator("article.note")).to_have_count(101)
        viewer.store(parts[0])
        await expect(page.locator("article.note")).to_have_count(100)
        await expect(note(page, parts[0])).to_have_text(re.compile("one two three four"))
        viewer.store(fresh := CAROL.reply(ROOT, "after it", NOW + 200))
        await expect(note(page, fresh).get_by_role("button", name="Reply")).to_be_attached()
        opened.faults.clear()  # the page that is gone


async def test_a_next_page_doubles_nothing(browser: Browser, tmp_path: Path) -> None:
    notes = [DAVE.reply(ROOT, str(number), NOW + 50 + number) for number in range(150)]
    async with viewing(tmp_path, [ROOT, *notes]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.route("**/live?after=*", lambda route: route.abort())
        await page.goto(PLACE)
        await expect(page.locator("article.note")).to_have_count(100)
        viewer.store(CAROL.reply(ROOT, "above", NOW + 1))
        await page.locator("article.note").last.scroll_into_view_if_needed()
        await expect(page.locator("p.following")).to_have_count(0)
        ids = await page.locator("article.note").evaluate_all("all => all.map(n => n.id)")
        assert len(ids) == len(set(ids)) == 151
        opened.faults.clear()  # the stream that was cut


async def test_what_comes_in_can_be_marked_as_read_too(browser: Browser, tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(viewer.address.secret)
        await page.goto("/")
        viewer.store(DAVE.note("another", NOW + 1))
        await expect(page.locator(".threads li.new")).to_have_count(2)
        await page.get_by_role("button", name="Mark all as read").click()
        await expect(page.locator(".threads li.new")).to_have_count(0)
        await page.goto(PLACE)
        viewer.store(ANSWER)
        await expect(page.locator("#fresh")).to_have_text("1 new")
        await page.get_by_role("button", name="Mark as read").click()
        await expect(page.locator(".note.new")).to_have_count(0)
        await page.reload()
        await expect(page.locator("article.note")).to_have_count(2)
        await expect(page.locator(".note.new")).to_have_count(0)


async def test_what_was_clicked_is_done_although_the_page_is_left_at_once(
    browser: Browser, tmp_path: Path
) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(viewer.address.secret)
        await page.goto("/")
        await expect(page.locator(".threads li.new")).to_have_count(1)
        await page.get_by_role("button", name="Mark all as read").click(no_wait_after=True)
        await page.goto("/")
        async with asyncio.timeout(SECONDS):
            while await page.locator(".threads li.new").count():
                await page.reload()


async def test_what_the_extension_refuses_is_told_as_its_words(
    browser: Browser, tmp_path: Path
) -> None:
    async with answerable(browser, tmp_path, unwilling) as (relay, opened):
        page = opened.page
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await page.get_by_label("Your reply").fill("It is not sent.")
        await page.get_by_role("button", name="Prepare").click()
        await page.get_by_role("button", name="Sign and send").click()
        await expect(page.locator("#sending.failed")).to_have_text(
            "Your extension says: User rejected. Nothing was sent."
        )
        await expect(page.get_by_label("Your reply")).to_have_value("It is not sent.")
        assert len(relay.store.thread(ROOT.id)) == len(THREAD)


async def test_without_an_extension_or_token_it_says_what_is_missing(
    browser: Browser, tmp_path: Path
) -> None:
    async with viewing(tmp_path, THREAD) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(PLACE)
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await expect(page.locator("#sending")).to_have_text(re.compile("with its token"))
        await expect(page.get_by_role("button", name="Prepare")).to_be_disabled()
        await page.goto(viewer.address.secret)
        await page.goto(PLACE)
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await expect(page.locator("#sending")).to_have_text(re.compile("NIP-07"))
        await page.get_by_label("Your reply").fill("It is kept and it may go on")
        await page.reload()
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await expect(page.get_by_label("Your reply")).to_have_value("It is kept and it may go on")


EVIL = "\n".join(
    (
        "<script>document.title = 'harmed'</script>",
        "<img src=x onerror=\"document.title='harmed'\">",
        '"><svg onload=alert(1)>',
        "{{ 7 * 7 }} ${7 * 7} </textarea></article></ol>",
        "javascript:alert(1) data:text/html,<b>x</b>",
        "https://evil.example/p.png https://evil.example/<b>",
        "\u202egnp.exe \u2066 \x1b]0;title\x07 \u0000",
        "&lt;script&gt; &#x3c;",
    )
)


async def test_a_note_that_is_written_to_do_harm_is_text(browser: Browser, tmp_path: Path) -> None:
    """Markup shows as it was written, and nothing is asked of anybody."""
    profile = {"name": "<b>x</b>\u202e", "about": EVIL, "picture": "https://evil.example/me.png"}
    events = [
        ROOT,
        BOB.reply(ROOT, EVIL, NOW + 1),
        BOB.event(kinds.PROFILE, json.dumps(profile), NOW),
        BOB.event(
            kinds.ARTICLE,
            EVIL,
            NOW,
            (("d", EVIL), ("title", EVIL), ("image", "https://e.example/i.png")),
        ),
        CAROL.event(kinds.NOTE, "x", NOW, (("content-warning", EVIL), ("subject", EVIL))),
        CAROL.event(kinds.COMMENT, EVIL, NOW, (("I", EVIL), ("i", EVIL))),
        CAROL.reaction(ROOT, "<b>x</b>"),
    ]
    async with viewing(tmp_path, events) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        listed = [each["code"] for each in (await viewer.json("/"))["threads"] if each["code"]]
        for place in ("/", PLACE, f"/p/{npub(BOB.pubkey)}", "/search?q=script", "/outbox"):
            await page.goto(place)
        for code in listed:
            for kind in "ta":
                await page.goto(f"/{kind}/{code}")
        await page.goto(PLACE)
        shown = await note(page, events[1]).locator(".text").inner_text()
        assert "<script>document.title = 'harmed'</script>" in shown
        assert r"\u202egnp.exe" in shown
        assert "harmed" not in await page.title()
        assert (
            await page.locator("main script, main img, main svg:not([role=img], .share)").count()
            == 0
        )
    assert dialogs == []
    assert opened.strangers == []


async def test_a_picture_is_loaded_only_when_it_is_asked_for(
    browser: Browser, tmp_path: Path
) -> None:
    pictured = BOB.reply(ROOT, "see https://pictures.example/a.png", NOW + 1)
    pixel = b"\x89PNG\r\n\x1a\n"
    async with viewing(tmp_path, [ROOT, pictured]) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.context.route(
            "https://pictures.example/**",
            lambda route: route.fulfill(body=pixel, content_type="image/png"),
        )
        await page.goto(PLACE)
        assert opened.strangers == []
        link = page.get_by_role("link", name="https://pictures.example/a.png")
        async with page.expect_request("https://pictures.example/a.png") as asked:
            await link.click()
        assert "referer" not in (await (await asked.value).all_headers())
        await link.click()
        await expect(page.locator("iframe")).to_have_count(0)
    assert opened.strangers == ["pictures.example"]


async def test_a_long_thread_comes_as_far_as_it_is_read(browser: Browser, tmp_path: Path) -> None:
    notes = thread(450, depth=3)
    place = f"/t/{nip19.encode(nip19.Note(notes[0].id))}"
    async with viewing(tmp_path, notes) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(place)
        for reached in (200, 300, 400, 450):
            await page.locator("article.note").last.scroll_into_view_if_needed()
            await expect(page.locator("article.note").nth(reached - 1)).to_be_attached()
        await expect(page.locator("article.note")).to_have_count(450)
        await expect(page.locator("p.following")).to_have_count(0)
        ids = await page.locator("article.note").evaluate_all("all => all.map(n => n.id)")
    assert len(set(ids)) == 450


async def test_a_document_is_full_at_some_time_and_a_link_leads_on(
    browser: Browser, tmp_path: Path
) -> None:
    """Or scrolling would not stay smooth."""
    notes = thread(1_150, depth=3)
    place = f"/t/{nip19.encode(nip19.Note(notes[0].id))}"
    async with viewing(tmp_path, notes) as viewer, tab(browser, viewer) as opened:
        page = opened.page
        await page.goto(place)
        for reached in range(200, 1_001, 100):
            await page.locator("article.note").last.scroll_into_view_if_needed()
            await expect(page.locator("article.note").nth(reached - 1)).to_be_attached()
        await page.get_by_role("link", name="More notes").click()
        await expect(page).to_have_url(re.compile(r"page=11$"))
        await expect(page.locator("article.note").nth(99)).to_be_attached()
        await expect(page.get_by_role("link", name="Earlier notes")).to_be_visible()


async def test_without_scripts_everything_can_be_read(browser: Browser, tmp_path: Path) -> None:
    notes = thread(150)
    place = f"/t/{nip19.encode(nip19.Note(notes[0].id))}"
    async with (
        viewing(tmp_path, [*notes, *split_answer(BOB, ROOT, "one two three", 3), ROOT]) as viewer,
        tab(browser, viewer, java_script_enabled=False) as opened,
    ):
        page = opened.page
        await page.goto(place)
        await expect(page.locator("article.note")).to_have_count(100)
        await page.get_by_role("link", name="More notes").click()
        await expect(page.locator("article.note")).to_have_count(50)
        await page.goto(PLACE)
        seams = page.locator(".seam")
        await expect(seams.first).to_be_hidden()
        await page.locator("summary").click()
        await expect(seams.first).to_be_visible()
        await page.get_by_role("searchbox").fill("one")
        await page.keyboard.press("Enter")
        await expect(page.locator("ol.hits > li")).to_have_count(1)


LOOKS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "viewport": {"width": 360, "height": 640}},
]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark and small"])
async def test_nothing_keeps_anybody_from_using_it(
    browser: Browser, tmp_path: Path, axe: str, look: dict[str, Any]
) -> None:
    """Every page, and the composer, without a violation that axe-core finds."""
    essay = CAROL.event(
        kinds.ARTICLE, f"# One\n\n{TEXT}\n\n```\nx\n```\n\n|a|b|\n|-|-|\n|1|2|", NOW, (("d", "x"),)
    )
    profile = BOB.event(kinds.PROFILE, json.dumps({"name": "bob", "about": "me"}), NOW)
    lost = CAROL.reply(BOB.reply(ROOT, "lost", NOW), "x", NOW + 1)
    warned = DAVE.reply(ROOT, "spoiler", NOW + 2)
    quoting = DAVE.reply(ROOT, f"nostr:{nip19.encode(nip19.Note(ANSWER.id))}", NOW + 3)
    events = [*THREAD, essay, profile, lost, warned, quoting, *split_answer(BOB, ROOT, TEXT, 3)]
    async with viewing(tmp_path, events) as viewer, tab(browser, viewer, **look) as opened:
        with SqliteStore(viewer.path) as store:
            store.enqueue(Posting((ALICE.reply(ROOT, "mine", NOW + 50),), (RELAY,), 1, NOW))
        page = opened.page
        await page.goto(viewer.address.secret)
        essay_at = (await viewer.json("/search?q=Paragraph"))["notes"]
        places = ["/", PLACE, f"/p/{npub(BOB.pubkey)}", "/search", "/search?q=answer", "/outbox"]
        places += ["/bots", f"/a/{essay.id}", "/picture?url=https://a.example/p.png"]
        assert essay_at
        for place in places:
            await page.goto(place)
            if place == PLACE:
                await page.locator(".seams summary").first.click()
            assert await violations(page, axe) == [], place
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await page.evaluate(wide), place
        await page.goto(PLACE)
        await note(page, ROOT).get_by_role("button", name="Reply").click()
        await page.get_by_label("Your reply").fill(TEXT)
        await expect(page.locator("#parts li").first).to_be_visible()
        assert await violations(page, axe) == []
        opened.faults.clear()  # the picture of nobody


async def violations(page: Page, axe: str) -> list[str]:
    await page.evaluate(axe)
    found = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
