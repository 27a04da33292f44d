"""The draft as text: TOML with comments in Japanese. Nothing of a file's content can leave its place."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voc.drafting.guess import OURS, WHAT, Doubt, Guess
from voc.drafting.head import Head

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SHOWN = 12


@dataclass(frozen=True)
class Part:
    """One [[sources]]. `told`: what the trial read; `is_used` False: drafted as a comment."""

    name: str
    path: str
    guess: Guess
    heads: tuple[Head, ...]
    n_looked: int
    told: str
    is_used: bool


@dataclass(frozen=True)
class Left:
    """Files that are not read, and why."""

    names: tuple[str, ...]
    reason: str

    def told(self) -> str:
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} ほか（計 {len(self.names):,} 個）"


def written(parts: Sequence[Part], left: Sequence[Left], overall: Sequence[str], *, folder: str) -> str:
    """The text of the configuration."""
    lines = [
        f"# voc の設定の下書きです。フォルダー「{_plain(folder)}」の中身から推測して作りました。",
        "# 「要確認」と書いた行を見て、正しければその注記を消し、違っていれば直してください。",
        "# 直したら「voc check このファイル」で確かめ、「voc run このファイル」で実行します。",
        *(f"# 要確認: {_plain(text)}" for text in overall),
        "", "[company]", 'name = "御社"                 # 要確認: レポートに載せる会社名に変えてください', 'timezone = "Asia/Tokyo"',
        "", "# --- 読み込むデータ（[sources.columns] は、左が voc の項目名、右がファイルの列名）---",
    ]  # fmt: skip
    for part in parts:
        block = _block(part)
        lines += ["", *(block if part.is_used else [line if line.startswith("#") else f"#{line}" for line in block])]
    if left:
        lines += ["", "# --- 読み込まないファイル ---"]
        lines += [f"# - {_plain(item.told())}: {_plain(item.reason)}" for item in left]
    lines += [
        "", "# --- 出力先と個人情報（ほかの項目は既定値のままで動きます）---",
        "[store]", 'path = "store"               # 取り込んだ結果（個人情報は伏せ字にしてから保存します）',
        "", "[reports]", 'path = "reports"',
        "", "[privacy]", 'pseudonym_key_file = "pseudonym.key"   # 顧客番号を仮名にする鍵。最初の実行で作ります。なくさないでください',
        "# 本文中の会員番号や契約番号も伏せるなら、正規表現で書いてください",
        """# id_patterns = { "会員番号" = 'M[0-9]{6}' }""",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _block(part: Part) -> list[str]:
    guess = part.guess
    notes = _notes(guess.doubts)
    looked = "" if part.n_looked == len(part.heads) else f"のうち {part.n_looked:,} 個"
    read = f"、試し読み: {part.told}" if part.told else ""
    lines = [f"# {_plain(part.heads[0].name)}{' ほか' if len(part.heads) > 1 else ''}（ファイル {len(part.heads):,} 個{looked}の先頭を確認{read}）"]
    lines += [f"# 要確認: {text}" for text in notes.pop("format", [])]
    lines += ["[[sources]]", f"name = {quoted(part.name)}", f"format = {quoted(guess.format)}".ljust(28) + f" # {WHAT[guess.format]}",
              f"path = {quoted(part.path)}"]  # fmt: skip
    for option, value in (("channel", guess.channel), ("name_pattern", guess.name_pattern)):
        lines += [_noted(f"{option} = {quoted(value)}", notes.pop(option, []))] if value else []
    domains = notes.pop("own_domains", [])
    if guess.own_domains:
        lines.append(_noted(f"own_domains = [{', '.join(map(quoted, guess.own_domains))}]", domains))
    else:
        lines += [f"# 要確認: {text}" for text in domains]
    lines += _table("columns", {ours: quoted(theirs) for ours, theirs in guess.columns.items()}, notes,
                    comments={ours: OURS.get(ours, "") for ours, theirs in guess.columns.items() if OURS.get(ours) != theirs})  # fmt: skip
    lines += _texts(guess, notes)
    for score, steps in guess.scales.items():
        lines += [f"[sources.scales.{score}]", *(f"# 要確認: {text}" for text in notes.pop(f"scales.{score}", []))]
        lines += [f"{quoted(answer)} = {value:g}" for answer, value in steps.items()]
    lines += _table("speakers", {word: quoted(role) for word, role in guess.speakers.items()}, notes, quote=True)
    lines += [f"# 要確認: {text}" for texts in notes.values() for text in texts]
    if guess.unused:
        rest = f" ほか {len(guess.unused) - _SHOWN} 列" if len(guess.unused) > _SHOWN else ""
        lines.append(f"# 使わない列: {'、'.join(_plain(name)[:40] for name in guess.unused[:_SHOWN])}{rest}")
    return lines


def _notes(doubts: Sequence[Doubt]) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    for doubt in doubts:
        notes.setdefault(doubt.place, []).append(_plain(doubt.text))
    return notes


def _table(
    option: str, values: Mapping[str, str], notes: dict[str, list[str]], *, quote: bool = False,
    comments: Mapping[str, str] | None = None,
) -> list[str]:  # fmt: skip
    """[sources.option] with a line per value; its doubts and comments behind."""
    lines = [f"# 要確認: {text}" for text in notes.pop(option, [])]
    if not values:
        return lines
    lines.append(f"[sources.{option}]")
    for key, value in values.items():
        told, comment = notes.pop(f"{option}.{key}", []), (comments or {}).get(key, "")
        line = f"{quoted(key) if quote else key} = {value}"
        lines.append(_noted(line, told) if told or not comment else f"{line.ljust(32)} # {comment}")
    return lines


def _texts(guess: Guess, notes: dict[str, list[str]]) -> list[str]:
    if not guess.texts:
        return []
    lines = ["[sources.texts]              # 自由記述の列 = レポートに載せる設問文"]
    lines += [_noted(f"{quoted(name)} = {quoted(asked)}", notes.pop(f"texts.{name}", [])) for name, asked in guess.texts.items()]
    if guess.maybe_texts:
        lines.append("# 要確認: 次の列も自由記述なら、行頭の # を外してください")
        lines += [f"#{quoted(name)} = {quoted(name)}" for name in guess.maybe_texts]
    return lines


def _noted(line: str, texts: Sequence[str]) -> str:
    return f"{line}   # 要確認: {'。'.join(texts)}" if texts else line


def quoted(text: str | None) -> str:
    """A basic string of TOML: as JSON writes it, with DEL, which JSON leaves, escaped too."""
    return json.dumps(text or "", ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """Text for a comment: one line without control characters."""
    return _CONTROL.sub(" ", text).strip()
