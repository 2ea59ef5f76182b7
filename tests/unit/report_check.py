"""A report must be well-formed XML, one file that loads nothing and runs nothing, with unique ids. Usage: report_check.py REPORT.html"""
import re
import sys
import xml.etree.ElementTree as tree
from html.parser import HTMLParser

text = open(sys.argv[1], encoding="utf-8").read()
root = tree.fromstring(text)


def name(element):
    return element.tag.rsplit("}", 1)[-1]


problems = []
ids = set()
for element in root.iter():
    if name(element) in ("script", "iframe", "object", "embed", "link", "img", "image", "base", "form", "foreignObject", "animate", "set"):
        problems.append(f"<{name(element)}>")
    for key, value in element.attrib.items():
        attribute = key.rsplit("}", 1)[-1]
        if attribute.lower().startswith("on"):
            problems.append(f"{attribute}=")
        if attribute in ("src", "srcset", "href", "data", "action") and not value.startswith("#"):
            problems.append(f"{attribute}={value!r}")
        if "url(" in value and not value.startswith("url(#"):
            problems.append(f"{attribute}={value!r}")
        if attribute == "id":
            if value in ids:
                problems.append(f"id {value} twice")
            ids.add(value)
for element in root.iter():
    for key, value in element.attrib.items():
        attribute = key.rsplit("}", 1)[-1]
        if attribute == "href" and value[1:] not in ids:
            problems.append(f"href {value} leads nowhere")
        if attribute == "aria-labelledby":
            problems += [f"aria-labelledby {part} leads nowhere" for part in value.split() if part not in ids]
    if name(element) == "svg" and (element.get("role") != "img" or name(element[0]) != "title" or name(element[1]) != "desc"):
        problems.append("an svg without role, title or desc")
for style in root.iter("{http://www.w3.org/1999/xhtml}style"):
    if re.search(r"@import|url\(|expression", style.text):
        problems.append("a style that loads")
    if "prefers-color-scheme: dark" not in style.text:
        problems.append("no dark scheme")


class Tags(HTMLParser):
    """What a browser's HTML parser sees must be the same elements."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag, attrs):
        self.count += 1

    def handle_startendtag(self, tag, attrs):
        self.count += 1


tags = Tags()
tags.feed(text)
if tags.count != sum(1 for _ in root.iter()):
    problems.append(f"{tags.count} elements as HTML, {sum(1 for _ in root.iter())} as XML")
if "<script" in text.lower():
    problems.append("the text <script")
for problem in problems:
    print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
