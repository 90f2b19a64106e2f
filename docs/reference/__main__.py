"""`make docs`: write the pages that come from the code, and try every link between the pages."""

import sys

from docs.reference import links
from docs.reference.pages import PAGES, ROOT, write


def main() -> int:
    """Write, check, say what happened; return the exit code."""
    changed = write()
    for path in PAGES:
        print(f"{path.relative_to(ROOT)}: {'written' if path in changed else 'unchanged'}")
    pages = links.pages(ROOT)
    dead = list(links.dead(pages, ROOT))
    for sentence in dead:
        print(sentence, file=sys.stderr)
    if not dead:
        print(f"every link of {len(pages)} pages leads somewhere")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
