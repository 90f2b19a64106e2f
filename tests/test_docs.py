"""The pages of `docs/`: the reference is what the code makes, and links lead somewhere."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from docs.reference import commands, links, pages, settings
from docs.reference.markdown import anchors, prose, table
from docs.reference.members import members

from pointsman_cli import main
from pointsman_service.settings import Settings, variable

WRITTEN = [commands.written, settings.written]


class Sample(msgspec.Struct):
    """A struct like those of the settings."""

    needed: int
    """What it is for."""
    silent: float = 1.5
    either: bool = False
    """A text
    of two lines."""


def test_the_reference_pages_are_what_the_code_makes() -> None:
    assert [path.name for path in pages.stale()] == [], "run `make docs`, and commit what it writes"


@pytest.mark.parametrize("written", WRITTEN)
def test_a_page_is_the_same_on_every_terminal(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = written()
    for name, value in {"COLUMNS": "20", "FORCE_COLOR": "1", "LANG": "de_DE", "HOME": "/"}.items():
        monkeypatch.setenv(name, value)
    assert written() == usual
    assert "\x1b" not in usual


@pytest.mark.parametrize(
    "command", ["", "activate", "models", "models diff", "rollout auto", "infra env", "serve"]
)
def test_every_option_that_help_tells_is_in_the_page(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run([*command.split(), "--help"])
    told = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    everywhere, *chapters = re.split(r"^##+ ", commands.written(), flags=re.MULTILINE)[1:]
    path = f"pointsman {command}".strip()
    own = "".join(chapter for chapter in chapters if chapter.startswith(f"{path}\n"))
    assert told
    assert told - set(re.findall(r"--[a-z-]+", own + everywhere)) == set()


def test_every_setting_is_in_the_page_and_explained() -> None:
    page = settings.written()
    variables = map(variable, Settings.__struct_fields__)
    assert [name for name in variables if f"| `{name}` |" not in page] == []
    assert re.findall(r"^.*\|\s*\|$", page.replace("| default |  |", ""), re.MULTILINE) == []


def test_a_struct_tells_what_its_members_take_and_are_for() -> None:
    told = [(each.name, each.values, each.text) for each in members(Sample, {})]
    assert told == [
        ("needed", "whole number", "What it is for."),
        ("silent", "number", ""),
        ("either", "`true` or `false`", "A text\n    of two lines."),
    ]


def test_a_page_that_differs_is_stale_until_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(pages, "PAGES", {page: lambda: "# Today\n"})
    assert pages.stale() == [page]
    page.write_text("# Yesterday\n")
    assert pages.write() == [page]
    assert page.read_text() == "# Today\n"
    assert pages.write() == []


def test_every_link_of_the_pages_leads_somewhere() -> None:
    assert list(links.dead(links.pages(pages.ROOT), pages.ROOT)) == []


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("gone.md", "where nothing is"),
        ("#nowhere", "where no heading is called that"),
        ("there.md#nowhere", "where no heading is called that"),
        ("../../etc/passwd", "which is outside the project"),
    ],
)
def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, link: str, reason: str) -> None:
    root = tmp_path.resolve()
    (root / "there.md").write_text("# There\n")
    page = root / "page.md"
    page.write_text(f"# Page\n[one](there.md#there) [two](#page) [a\nthird]({link})\n")
    assert list(links.dead([page], root)) == [f"page.md links to {link}, {reason}"]


def test_what_is_code_or_on_other_servers_is_no_link() -> None:
    elsewhere = "[c](https://example.com) [d](mailto:e@f.g)"
    text = f"`[a](b.md)` {elsewhere}\n```\n[h](i.md)\n```\n[`j`](k.md)"
    assert links.targets(text) == ["k.md"]


def test_headings_are_linked_as_github_names_them() -> None:
    twice = "## Two: of them!\n## Two of them"
    text = f"# A `code` heading\n{twice}\n```\n# a comment\n```\n### [x](y)\n"
    assert anchors(text) == {"a-code-heading", "two-of-them", "two-of-them-1", "x"}


def test_text_is_read_as_it_stands() -> None:
    assert prose("a [b] <c>\n `d|*` *e*") == r"a \[b\] \<c> `d|*` \*e\*"
    assert table(("a",), [("`b|c`",)]).endswith(r"| `b\|c` |")
