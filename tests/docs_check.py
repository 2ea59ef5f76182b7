#!/usr/bin/env python3
"""Holds the sources and the documents against each other. Exit code 1 and a line for each finding.

Layers  Every #include of limrisk's own headers is one that the table "Directories" of docs/architecture.md allows: the directory
        of the header is named in the third column, and its row stands above. The rows are the order of the layers.
Paths   Every file or directory of the repository that README.md, CONTRIBUTING.md and docs/*.md name in backticks, and every
        local target of a link, exists.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHITECTURE = "docs/architecture.md"
PUBLIC = "include/limrisk"  # for all
SOURCES = ("*.cpp", "*.hpp", "*.cu", "*.cuh", "*.in")
TOP = "bench|cmake|docs|experiments|include|kernels|scripts|src|tests|tools"


def layers():
    """The directories in the order of the table, each with what its row allows: {directory: set of directories}."""
    section = (ROOT / ARCHITECTURE).read_text().split("## Directories", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([^`]+)/` \|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    allowed = {}
    for directory, text in rows:
        above = list(allowed)
        stated = above if "all of the above" in text else [one for one in above if re.search(rf"\b{short_name(one)}\b", text)]
        allowed[directory] = {directory, PUBLIC, *stated}
    return allowed


def short_name(directory):
    """src/backend/cuda -> backend/cuda, as #include lines name it; include/limrisk -> limrisk."""
    return re.sub("^(src|include)/", "", directory)


def innermost(path, directories):
    """The longest of the directories that holds the path, or None."""
    return max((one for one in directories if path.startswith(one + "/")), key=len, default=None)


def layer_findings():
    allowed = layers()
    known = {path for top in ("include/limrisk", "kernels", "src") for path in (ROOT / top).rglob("*") if path.is_file()}
    if len(allowed) < 10:
        yield f"{ARCHITECTURE}: the table of directories was not found or has lost its form"
    for file in sorted(known):
        if not any(file.match(pattern) for pattern in SOURCES):
            continue
        name = file.relative_to(ROOT).as_posix()
        own = innermost(name, allowed)
        if own is None:
            yield f"{name}: its directory is not in the table of {ARCHITECTURE}"
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
            if not include:
                continue
            places = (file.parent, ROOT / "src", ROOT / "include", ROOT)
            header = next((path for path in ((place / include[1]).resolve() for place in places) if path in known), None)
            if header is None:
                continue  # of another project
            layer = innermost(header.relative_to(ROOT).as_posix(), allowed)
            if layer not in allowed[own]:
                yield f"{name}:{number}: {own}/ may not include {include[1]} ({ARCHITECTURE}, table of directories)"


def named_paths(text):
    """The words in backticks that look like paths of the repository, in code blocks too."""
    for code in re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL):
        for word in re.findall(rf"(?<![\w./-])(?:\./)?((?:{TOP})/[\w./*{{}},-]*)", code):
            yield word.rstrip(".,")


def exists(name):
    braces = re.search(r"\{([^}]*)\}", name)
    if braces:
        return all(exists(name.replace(braces[0], one, 1)) for one in braces[1].split(","))
    return any(ROOT.glob(name.rstrip("/"))) if "*" in name else (ROOT / name).exists()


def path_findings():
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text, name = document.read_text(), document.relative_to(ROOT).as_posix()
        for path in sorted(set(named_paths(text))):
            if not exists(path):
                yield f"{name}: names {path}, which does not exist"
        for link in sorted(set(re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", text))):
            if not (document.parent / link).exists():
                yield f"{name}: links to {link}, which does not exist"


def main():
    findings = [*layer_findings(), *path_findings()]
    print("\n".join(findings) if findings else "the includes follow the layers, and the documents name what exists")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
