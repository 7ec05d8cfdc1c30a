"""The shim (故障垫片): a small library, compiled when needed, between the gateway and the C library's disk calls."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import find_program

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ours(int fd, char *path, size_t size) {
    char link[64];
    const char *data = getenv("SHIM_DATA");
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, size - 1);
    if (!data || length < 0) return 0;
    path[length] = 0;
    return strncmp(path, data, strlen(data)) == 0;
}

static int armed(const char *name) {
    char flag[4096];
    const char *folder = getenv("SHIM_FLAGS");
    if (!folder) return 0;
    snprintf(flag, sizeof flag, "%s/%s", folder, name);
    return access(flag, F_OK) == 0;
}

static void note(const char *path) {
    char name[4096], line[4200];
    const char *folder = getenv("SHIM_FLAGS");
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    int fd, kept = errno;
    if (!folder) return;
    snprintf(name, sizeof name, "%s/synced", folder);
    fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        int length = snprintf(line, sizeof line, "%s\n", path);
        if (real(fd, line, (size_t)length) < 0) perror("shim");
        close(fd);
    }
    errno = kept;
}

static int sync_it(const char *name, int fd) {
    char path[4096];
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    if (ours(fd, path, sizeof path)) {
        if (armed("sync-fails")) { errno = EIO; return -1; }
        note(path);
    }
    return real(fd);
}

int fsync(int fd) { return sync_it("fsync", fd); }
int fdatasync(int fd) { return sync_it("fdatasync", fd); }

static int full(int fd) {
    char path[4096];
    if (!armed("full") || !ours(fd, path, sizeof path)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *body, size_t size) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return full(fd) ? -1 : real(fd, body, size);
}

ssize_t pwrite(int fd, const void *body, size_t size, off_t at) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    return full(fd) ? -1 : real(fd, body, size, at);
}

ssize_t pwrite64(int fd, const void *body, size_t size, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return full(fd) ? -1 : real(fd, body, size, at);
}
"""


@dataclass(frozen=True, slots=True)
class Shim:
    """A compiled shim for one data folder. Flags are files: `sync-fails` (EIO), `full` (ENOSPC)."""

    library: Path
    flags: Path
    data: Path

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment that puts it in place."""
        return {"LD_PRELOAD": str(self.library), "SHIM_FLAGS": str(self.flags), "SHIM_DATA": str(self.data)}

    def set(self, flag: str) -> None:
        """From now on."""
        (self.flags / flag).touch()

    def clear(self, flag: str) -> None:
        """No more."""
        (self.flags / flag).unlink()

    def synced(self) -> list[str]:
        """Paths below the data folder in the order they were synced since the last call."""
        log = self.flags / "synced"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [line.removeprefix(str(self.data)).lstrip("/") for line in lines]


def compiled(folder: Path, data: Path) -> Shim:
    """Compile it into the folder; raises MissingServer without a C compiler."""
    flags, source, library = folder / "flags", folder / "shim.c", folder / "shim.so"
    flags.mkdir()
    source.write_text(SOURCE)
    command = [str(find_program("cc")), "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return Shim(library, flags, data)
