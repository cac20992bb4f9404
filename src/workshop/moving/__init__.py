"""Moves that can never lose work: goto, reset, and backups that are brought back.

Defined, and tested in tests/test_moving.py and tests/test_backups.py:

- Saved: what git tracks, what it would add, and whatever lies at a path of the course or in its
  way, ignored or not; the index, byte for byte; HEAD, and the branches that move; the progress;
  exact permission bits. Files that are ignored and not in the way are neither saved nor touched.
- Brought back: all of it. Times of files are not. Files that were made since a backup, and that no
  stage of the course has, stay.
- Folders come back, even empty ones, where a move could have removed them.
- Links are saved as links and never followed. Hard links come back as files of their own.
- Nested repositories and submodules are never entered. A move that would change a file in one is
  refused. The index's own entry for one comes back.
- Refused, with the way out: merge, rebase, cherry-pick, revert, bisect, am; conflicts; a locked
  index; a sparse checkout; a folder that is read-only, a file that can't be read, a socket or pipe
  in the way; names that differ in case alone, where case does not count; a branch that is checked
  out in another working tree.
- Hooks, filters, `core.autocrlf`, signing and a file system monitor are the person's: none of them
  is asked.
"""

from workshop.moving.backups import restore
from workshop.moving.sequence import Moved
from workshop.moving.snapshot import Backup
from workshop.moving.snapshot import listing as backups
from workshop.moving.stages import goto, reset

__all__ = ["Backup", "Moved", "backups", "goto", "reset", "restore"]
