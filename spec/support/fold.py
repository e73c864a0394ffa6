"""What fold.c must make of text, by Python's own tables: those characters are taken that Python and the
Unicode version of casefold.h both know.
    python3 fold.py VERSION lines TEXTS FOLDED   writes lines to a file, and what they fold to to another
    python3 fold.py VERSION classes              prints what folds to the same, a class a line
    python3 fold.py VERSION fold                 folds its input"""
import functools
import random
import re
import sys
import unicodedata

UNICODE = "/usr/share/unicode/"
version, mode, *files = sys.argv[1:]


def read(name):
    return open(UNICODE + name, encoding="utf-8").read()


def ranges(name, pattern):
    for first, last in re.findall(r"^(\w+)(?:\.\.(\w+))? *; " + pattern, read(name), re.M):
        yield from range(int(first, 16), int(last or first, 16) + 1)


def number(name):
    return [int(part) for part in name.split(".")[:2]]


marked = {chr(code) for code in ranges("Scripts.txt", "(?:Latin|Greek|Cyrillic) ")}
small = {
    chr(int(code, 16)): chr(int(to, 16))
    for code, to in re.findall(r"^(\w+); [CS]; (\w+);", read("CaseFolding.txt"), re.M)
}
small["\u0131"] = "i"


@functools.cache
def is_mark(character):
    return unicodedata.category(character) == "Mn" or unicodedata.combining(character) > 0


def fold(text):
    base, out = "", []
    for character in unicodedata.normalize("NFD", text):
        if is_mark(character) and base in marked:
            continue
        letter = small.get(character, character)
        out.append(letter)
        if not is_mark(character):
            base = letter
    return "".join(out)


ages = re.findall(r"^(\w+)(?:\.\.(\w+))? *; ([\d.]+)", read("DerivedAge.txt"), re.M)
old = {
    code
    for first, last, age in ages
    if number(age) <= number(version)
    for code in range(int(first, 16), int(last or first, 16) + 1)
}
# U+FB05 was old when Unicode 15.1 began to fold it.
known = [chr(code) for code in sorted(old - set(range(0xD800, 0xE000)) - {0xA, 0xFB05})]
known = [c for c in known if unicodedata.category(c) != "Cn" or c < "\u0250"]


def same(source, text):
    """Another spelling of the same text: composed, decomposed, or the marks in another order."""
    how = source.randrange(4)
    if how < 2:
        return unicodedata.normalize("NFD" if how == 0 else "NFC", text)
    characters = list(unicodedata.normalize("NFD", text) if how == 2 else text)
    for _ in range(len(characters)):
        at = source.randrange(max(1, len(characters) - 1))
        two = characters[at:at + 2]
        classes = [unicodedata.combining(character) for character in two]
        if len(two) == 2 and 0 not in classes and classes[0] != classes[1]:
            characters[at:at + 2] = reversed(two)
    return "".join(characters)


def lines():
    marks = [c for c in known if is_mark(c)]
    latin = [c for c in known if c in marked]
    composed = [c for c in known if re.match("[^<]", unicodedata.decomposition(c))]
    for character in known:
        # Of ideographs and syllables, which are all alike, some are enough.
        if unicodedata.category(character) != "Co" and (unicodedata.name(character, "")[:3] not in ("CJK", "HAN", "TAN") or ord(character) % 32 == 0):
            yield from [character, "a" + character, "\u05d0" + character + "\u0301", character + "\u0345\u0327\u05b0x"]
    source = random.Random(4711)
    ascii = [chr(c) for c in range(32, 127)]
    pools = [known, marks, marks, latin, composed, composed, ["a", "E", " ", "<", "\u0439", "\uac00"], ascii]
    for _ in range(8000):
        pool = source.choices(pools, k=2)
        text = "".join(source.choice(source.choice(pool)) for _ in range(source.randrange(1, 14)))
        yield from [text, same(source, text), same(source, text)]
    for mark in ("\u0301", "\u05b0\u05bc", "\u0345"):
        yield from [letter + mark * 3000 for letter in "a\u05d0"]


if mode == "lines":
    texts = list(lines())
    for name, what in zip(files, (texts, map(fold, texts))):
        with open(name, "w", encoding="utf-8", newline="\n") as out:
            out.writelines(line + "\n" for line in what)
elif mode == "fold":
    sys.stdout.buffer.write(fold(sys.stdin.buffer.read().decode()).encode())
else:
    classes = {}
    for character in known:
        if not is_mark(character) and not character.isspace():
            classes.setdefault(fold("<" + character + ">"), []).append(character)
    for members in classes.values():
        if len(members) > 1:
            sys.stdout.buffer.write((" ".join(members) + "\n").encode())
