"""`voc issues ...`: people look at the ledger and change it. Prefect is not needed."""

import argparse
import getpass
import sys
from pathlib import Path

_KEEP = {"largest": None, "rest": 0, "part": 1}
_COMMANDS = {
    "rename": ("課題の名前を変えます", "名前を変えました"), "merge": ("課題を別の課題に統合します（過去の声も数え直します）", "統合しました"),
    "lock": ("課題を固定します（自動では名前も範囲も変わりません）", "固定しました"), "unlock": ("固定や候補の課題を公開にします", "公開にしました"),
    "exclude": ("課題をレポートと順位から外します（声は数え続けます）", "除外しました"),
    "reopen": ("除外、解決済み、休止の課題を元に戻します", "元に戻しました"), "close": ("課題を解決済みにします", "解決済みにしました"),
    "set-area": ("課題の領域（大きな分類）を決めます", "領域を決めました"),
    "assign-owner": ("担当部署を決めます", "担当部署を決めました"), "fix": ("行った対応を日付とともに記録します", "対応を記録しました"),
    "effort": ("対応の工数（人日）を決めます", "工数を決めました"), "due": ("対応の期限を決めます", "期限を決めました"),
}  # fmt: skip


def add_commands(commands) -> None:
    """Add `issues` with its own commands to the command line's sub-parsers."""
    parser = commands.add_parser("issues", help="課題の台帳を見る、直す", description="課題の台帳を見て、名前、統合、分割、対応などを直します。")
    own = parser.add_subparsers(required=True, metavar="操作")

    one = _command(own, "list", "課題の一覧を表示します", _list)
    one.add_argument("--all", action="store_true", help="除外、休止、統合済みの課題も表示します")
    _with_id(_command(own, "show", "課題の内容、月別の件数、例文、履歴を表示します", _show))
    _add_edits(own)
    _add_split(own)
    one = _command(own, "sample", "割り当てが合っているかを人が確かめる表を書き出します", _sample)
    one.add_argument("--n", type=int, default=300, metavar="件数", help="文の数（既定: 300）")
    one.add_argument("--out", type=Path, required=True, metavar="ファイル", help="書き出す .xlsx")
    one = _command(own, "import", "書き換えた issues.xlsx、または答えを書いた sample の表を取り込みます", _import, is_edit=True)
    one.add_argument("file", type=Path, help="レポートのフォルダーにある issues.xlsx か、voc issues sample が書いた表（見出しで見分けます）")


def _command(own, name: str, text: str, function, *, is_edit: bool = False) -> argparse.ArgumentParser:
    parser = own.add_parser(name, help=text, description=f"{text}。")
    parser.add_argument("--config", type=Path, default=Path("voc.toml"), help="設定ファイル（既定: voc.toml）")
    if is_edit:
        parser.add_argument("--by", default=None, metavar="氏名", help="履歴に残す名前（既定: ログイン名）")
    parser.set_defaults(command=function, operation=name)
    return parser


def _with_id(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("issue_id", metavar="課題番号", help="例: VOC-0001（1 だけでも可）")
    return parser


def _add_edits(own) -> None:
    made = {name: _with_id(_command(own, name, text, _edit, is_edit=True)) for name, (text, _) in _COMMANDS.items()}
    made["rename"].add_argument("value", metavar="名前", help="新しい名前（30 文字以内、ほかの課題と別の名前）")
    made["merge"].add_argument("value", metavar="統合先", help="残すほうの課題番号")
    made["set-area"].add_argument("value", metavar="領域", help="15 文字以内。空文字 '' で領域なしに戻します")
    made["assign-owner"].add_argument("value", metavar="担当部署", help="空文字 '' で担当なしに戻します")
    made["effort"].add_argument("value", metavar="人日", help="例: 3.5。空文字 '' で消します")
    made["due"].add_argument("value", metavar="期限", help="例: 2026-04-01。空文字 '' で消します")
    made["close"].add_argument("--on", metavar="解決日", default=None, help="例: 2026-04-01（既定: 今日）")
    made["fix"].add_argument("--on", metavar="対応日", required=True, help="例: 2026-04-01")
    made["fix"].add_argument("--note", metavar="対応内容", required=True, help="何をしたか")


def _add_split(own) -> None:
    parser = _with_id(_command(own, "split", "課題の一部の声を別の課題に分けます", _split, is_edit=True))
    parser.add_argument("--label", required=True, metavar="名前", help="抜き出すほうの名前")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--keyword", action="append", metavar="語", help="この語を含む声を抜き出します（何度でも。どれかを含めば対象）")
    which.add_argument("--sentence", action="append", metavar="文番号", help="この文と、残りの声よりこの文に近い声を抜き出します（何度でも）")
    parser.add_argument("--rest-label", metavar="名前", default=None, help="残りのほうの名前（既定: 今の名前）")
    parser.add_argument(
        "--keep", choices=sorted(_KEEP), default="largest",
        help="今の課題番号を引き継ぐほう。largest: 声が多いほう（既定。多くの声の推移が同じ番号で続きます）、part: 抜き出すほう、rest: 残りのほう",
    )  # fmt: skip


def _list(options: argparse.Namespace) -> int:
    from flows.ledger_edits import open_ledger
    from voc.issues.listing import list_lines

    ledger = open_ledger(options.config)
    _tell(list_lines(ledger.issues, ledger.mentions, is_whole=options.all))
    return 0


def _show(options: argparse.Namespace) -> int:
    from flows.ledger_edits import open_ledger
    from voc.issues.listing import show_lines

    ledger = open_ledger(options.config)
    _tell(show_lines(options.issue_id, ledger.issues, ledger.events, ledger.mentions, ledger.sentences(), timezone=ledger.timezone))
    return 0


def _edit(options: argparse.Namespace) -> int:
    from flows.ledger_edits import edit_ledger, open_ledger
    from voc.issues.edits import Edit, clean_id

    value, issue_id = getattr(options, "value", None), clean_id(options.issue_id)
    kind, to, note = {
        "rename": ("rename", value, None), "merge": ("merge", value, None), "lock": ("set_status", "locked", None),
        "unlock": ("set_status", "open", None), "exclude": ("set_status", "excluded", None), "reopen": ("set_status", "back", None),
        "close": ("set_status", "closed", getattr(options, "on", None)), "assign-owner": ("assign_owner", value, None), "set-area": ("set_area", value, None),
        "effort": ("set_effort", value, None), "due": ("set_due", value, None),
        "fix": ("fix", getattr(options, "on", None), getattr(options, "note", None)),
    }[options.operation]  # fmt: skip
    ledger, told = edit_ledger(open_ledger(options.config), [Edit(kind, issue_id, to, note)], by=_by(options))
    label = ledger.issues.set_index("issue_id").at[issue_id, "label"]
    _tell([*told, f"{issue_id}「{label}」: {_done(options.operation)}"])
    return 0


def _done(operation: str) -> str:
    told = _COMMANDS[operation][1]
    extra = "金額と順位は次の voc run で計算し直します。" if operation in {"merge", "exclude", "reopen"} else ""
    return f"{told}。{extra}"


def _split(options: argparse.Namespace) -> int:
    from flows.ledger_edits import open_ledger, split_issue

    told = split_issue(
        open_ledger(options.config), options.issue_id, labels=(options.rest_label, options.label), keywords=options.keyword,
        sentence_ids=options.sentence, keep=_KEEP[options.keep], by=_by(options),
    )  # fmt: skip
    _tell([*told, "次の voc run で、すべての声をもう一度これらの課題と照らし合わせ、金額と順位も計算し直します。"])
    return 0


def _import(options: argparse.Namespace) -> int:
    from flows.issue_labels import import_file
    from flows.ledger_edits import open_ledger

    _tell(import_file(open_ledger(options.config), options.file, by=_by(options)))
    return 0


def _sample(options: argparse.Namespace) -> int:
    from flows.issue_labels import sample
    from flows.ledger_edits import open_ledger

    ledger = open_ledger(options.config)
    _tell(sample(ledger, options.out, n=options.n, seed=ledger.seed))
    return 0


def _by(options: argparse.Namespace) -> str:
    from voc.issues.edits import checked_person

    if options.by is not None:
        return checked_person(options.by)
    try:
        return checked_person(getpass.getuser())
    except (OSError, KeyError):  # a container whose user has no name
        return checked_person("担当者")


def _tell(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
