"""What to do about each reason, for the page of reasons: English and Chinese."""

from __future__ import annotations

from formats.reasons import Reason

_VERIFY = ("verify the account with the payee, then reissue", "与收款人核实账户后补发")
_CARD = ("let the payee put the card in order at the bank, then reissue", "请收款人到银行处理后补发")
_ASK = ("ask the bank what became of it; never reissue meanwhile", "向银行查询结果,其间不得补发")
_CORRECT = ("correct the list, then reissue", "更正名单后补发")

ADVICE: dict[Reason, tuple[str, str]] = {
    Reason.NONE: ("nothing: paid in full", "无需处理:已足额入账"),
    Reason.ACCOUNT_NOT_FOUND: _VERIFY,
    Reason.NAME_MISMATCH: ("verify name and account, then reissue", "核实户名与账号后补发"),
    Reason.ID_MISMATCH: ("verify the ID number, then reissue", "核实证件号码后补发"),
    Reason.ACCOUNT_CLOSED: ("get the payee's present account, then reissue", "取得收款人现用账户后补发"),
    Reason.ACCOUNT_FROZEN: _CARD,
    Reason.ACCOUNT_RESTRICTED: _CARD,
    Reason.NOT_ACTIVATED: ("let the payee activate the account, then reissue", "请收款人激活金融账户后补发"),
    Reason.DORMANT: _CARD,
    Reason.CARD_LOST: (
        "credited: tell the payee; failed: new card, then reissue",
        "已入账的告知收款人;失败的换卡后补发",
    ),
    Reason.WRONG_ACCOUNT_TYPE: _VERIFY,
    Reason.BANK_MISMATCH: (
        "the payee changed banks: reissue to the new bank",
        "收款人已换行:改发新的银行并补发",
    ),
    Reason.AMOUNT_INVALID: _CORRECT,
    Reason.AMOUNT_LIMIT: ("agree on the limit with the bank, then reissue", "与银行商定限额后补发"),
    Reason.DUPLICATE: ("unknown: look for the first attempt at the bank", "待查:向银行核对首次发放的结果"),
    Reason.BATCH_REJECTED: ("mend what the bank names, then reissue", "按银行所述更正后补发"),
    Reason.PAYER_FUNDS: ("fund the payer account, then reissue", "付款账户补足资金后补发"),
    Reason.RETURNED: (
        "returned: verify the account, then reissue; unknown: ask how much came back",
        "退汇的核实账户后补发;待查的先问清退回金额",
    ),
    Reason.AMOUNT_DIFFERS: (
        "settle the difference with the bank; never reissue",
        "与银行处理差额,不得补发",
    ),
    Reason.CREDITED_ELSEWHERE: (
        "ask the bank who holds the account that it credited; never reissue",
        "向银行查明实际入账账户,不得补发",
    ),
    Reason.PAID_TWICE: (
        "have what was too much come back, then let two persons resolve it",
        "追回多付金额后由两人书面了结",
    ),
    Reason.NO_CARD: ("get the person a card and an account, then reissue", "为其办理社保卡账户后补发"),
    Reason.NAME_NOT_ENCODABLE: (
        "agree with the bank how the name is written, enter it as an alias, then reissue",
        "与银行商定写法并登记别名后补发",
    ),
    Reason.NAME_TOO_LONG: (
        "agree with the bank how the name is written, enter it as an alias, then reissue",
        "与银行商定写法并登记别名后补发",
    ),
    Reason.FIELD_INVALID: _CORRECT,
    Reason.INVALID_ID: _CORRECT,
    Reason.INVALID_ACCOUNT: _CORRECT,
    Reason.INVALID_PAYEE: _CORRECT,
    Reason.UNKNOWN_BANK: (
        "correct the bank, or add its profile; then reissue",
        "更正合作银行或登记其档案后补发",
    ),
    Reason.NOT_ENTRUSTED: (
        "add the agreement, or correct the list; then reissue",
        "登记委托协议或更正名单后补发",
    ),
    Reason.PROGRAMME_NOT_LISTED: (
        "held: add the programme to the catalogue, and the next run takes it up; or withdraw it",
        "待定:将该项目加入目录后自动继续,或撤回",
    ),
    Reason.PROGRAMME_CLASSIFIED: (
        "pay it on the way laid down for classified matters; never hand it in here",
        "按涉密规定另行发放,不得在此提交",
    ),
    Reason.DEPARTMENT_NOT_PERMITTED: (
        "correct the department, or permit it in the catalogue; then reissue",
        "更正发放部门或在目录中准许后补发",
    ),
    Reason.PERIOD_UNUSUAL: (
        "held: look for another payment of the same time; two persons accept it, or one withdraws it",
        "待定:核对是否重复发放后由两人放行,或一人撤回",
    ),
    Reason.REPEAT_IN_PERIOD: (
        "held: look at the other payment; two persons accept it, or one withdraws it",
        "待定:核对另一笔后由两人放行,或一人撤回",
    ),
    Reason.REISSUE_REFUSED: (
        "look at the payment that it names: it is paid, open, unclear or replaced already",
        "查看原明细:可能已入账、在途、待查或已有补发",
    ),
    Reason.OTHER_PERSONS_ACCOUNT: (
        "held: two persons accept it, or one withdraws it",
        "待定:两人复核接受,或一人撤回",
    ),
    Reason.ON_HOLD: (
        "held by a person: two persons accept it, or one withdraws it",
        "人工暂停:两人复核放行,或一人撤回",
    ),
    Reason.PAID_PERHAPS: (
        "ask the bank in writing whether any file paid it; two persons accept, withdraw or call it credited",
        "书面询问银行是否已通过任何文件付出,由两人放行、撤回或确认已入账",
    ),
    Reason.REFUSED_IN_DOUBT: (
        "ask the bank in writing whether any file paid it; two persons set it aside or call it credited",
        "书面询问银行是否已通过任何文件付出,由两人退回或确认已入账",
    ),
    Reason.CONFIRMED_UNPAID: _VERIFY,
    Reason.PAID_SHORT: (
        "reissue exactly what is missing; call the bank to account for it",
        "按所缺金额补发,并向银行追责",
    ),
    Reason.WITHDRAWN: ("nothing: it never left", "无需处理:未曾发出"),
    Reason.SYSTEM: _ASK,
    Reason.TIMED_OUT: _ASK,
    Reason.IN_PROGRESS: ("wait for the bank's next result", "等待银行下一次回盘"),
    Reason.CONTRADICTED: (
        "ask the bank in writing what it paid, then let two persons resolve it (held: accept or withdraw it)",
        "书面要求银行确认实际发放情况,由两人据此了结(待定的放行或撤回)",
    ),
    Reason.UNMAPPED: (
        "ask the bank what the code means, and have the layout's table completed",
        "向银行问明返回码含义并补充对照表",
    ),
}
