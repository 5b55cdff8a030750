"""Parts of problems, errors and hints in English, each with its Chinese twin.

How a whole problem is put together is in `problem_sentences`.
"""

from __future__ import annotations

_BATCH_FORM: dict[str, str] = {
    # The file as a whole.
    "the file is empty": "文件为空",
    "cannot be opened": "无法打开",
    "cannot be read": "无法读取",
    "not UTF-8": "不是 UTF-8",
    "0x{}": "字节 0x{}",
    "a NUL byte": "空字节(NUL)",
    "the file is damaged, or not a text file": "文件已损坏,或不是文本文件",
    "text": "文本",
    "more than {} bytes without a line end": "超过 {} 字节没有换行",
    "is this a batch file at all?": "这是批次文件吗?",
    "the last line has no line end": "最后一行没有换行",
    "was the file cut?": "文件是否被截断?",
    "was the file cut, or a row lost?": "文件是否被截断,或丢失了行?",
    "save it as CSV UTF-8; spreadsheets in Chinese save plain CSV as GBK": (
        "请另存为 CSV UTF-8;中文表格软件默认把 CSV 存为 GBK"
    ),
    "an old workbook, UTF-16 text or another kind of file": "是旧版工作簿、UTF-16 文本或其他文件",
    "wanted CSV in UTF-8, JSON Lines or an .xlsx workbook": "应为 UTF-8 的 CSV、JSON Lines 或 .xlsx 工作簿",
    "CSV in UTF-8 or an .xlsx workbook": "UTF-8 的 CSV 或 .xlsx 工作簿",
    "save it as CSV UTF-8, or as an .xlsx workbook": "请另存为 CSV UTF-8 或 .xlsx 工作簿",
    "it has several sheets": "有多张工作表",
    "one sheet": "只有一张工作表",
    "keep the one with the table": "请只保留有表格的那一张",
    "it has NUL bytes": "含空字节(NUL)",
    "it is no CSV in UTF-8": "不是 UTF-8 的 CSV",
    "the workbook has no sheet": "工作簿没有工作表",
    "the workbook is protected by a password": "工作簿有密码保护",
    "no readable workbook: {}": "工作簿无法读取:{}",
    "only the first of {} sheets is read": "{} 张工作表中只读第一张",
    "the workbook is too large: found {}": "工作簿过大:{}",
    "at most {} rows": "至多 {} 行",
    "more than {} MiB": "超过 {} MiB",
    "more than {} rows": "超过 {} 行",
    "{} rows": "{} 行",
    "it unpacks to far too much": "解压后过大",
    "cells beyond column CZ": "CZ 列以后还有单元格",
    "save it as CSV UTF-8, which has no limit": "请另存为 CSV UTF-8,行数不限",
    # Rows, headers and the envelope.
    "as many cells as the header row": "与表头行的单元格数相同",
    "cells beyond the header row": "表头以外的单元格",
    "no cells beyond the header row": "表头以外没有单元格",
    "{} cells": "{} 个单元格",
    "quotes that do not fit": "引号不配对",
    "quotes that open and close a whole cell": "引号应包住整个单元格",
    "the quote that closes the last cell": "最后一个单元格的后引号",
    "CSV": "CSV",
    "no envelope here": "此处没有批次信息",
    "a key such as batch_id or 批次号 and its value": "如 batch_id 或 批次号 的名称及其值",
    "the file begins with the envelope: see docs/standard-batch.md": (
        "文件以批次信息开头:见 docs/standard-batch.md"
    ),
    "see docs/standard-batch.md": "见 docs/standard-batch.md",
    "more than a key and a value": "超过一个名称和一个值",
    "the envelope or an empty row": "批次信息或空行",
    "an empty row stands between the envelope and the header row": "批次信息与表头行之间应有一个空行",
    "no such entry of the envelope": "批次信息中没有此项",
    "given twice": "重复给出",
    "envelope without {} ({})": "批次信息缺少 {}({})",
    "the first rows name batch_id, source_platform, declared_count and declared_total": (
        "文件开头各行应列明 batch_id、source_platform、declared_count 和 declared_total"
    ),
    "an integer that is not negative": "不为负的整数",
    "no header row here, {} cells of which {} name a column": "此处不是表头行:{} 个单元格中 {} 个是列名",
    "after the envelope come an empty row, the header row and then the payments": (
        "批次信息之后依次是空行、表头行和发放明细"
    ),
    "no such column": "没有此列",
    "{} is there twice": "{} 重复",
    "column {} ({}) is missing": "缺少列 {}({})",
    "a value": "有值",
    "a value here or in the envelope": "此处或批次信息中有值",
    "a number of payments": "笔数",
    "an id without an ID number in it": "不含身份证号的编号",
    "another value in the envelope": "批次信息中的另一个值",
    "the batch has no payments": "批次中没有明细",
    "declared count {}, but there are {} payments": "申报 {} 笔,实有 {} 笔",
    "declared total {}, but the payments add up to {}": "申报总金额 {},各笔合计 {}",
    "the same as in {} {}": "与第 {1} 行相同",
    "an id without a name, ID or account number of its payments in it": (
        "不含本批次姓名、证件号或账号的编号"
    ),
    "one JSON object": "一个 JSON 对象",
    "a whole JSON object": "一个完整的 JSON 对象",
    "only keys of the standard batch": "只含标准批次的键",
    "every key once": "每个键只出现一次",
    "text in quotes, also for amounts": "带引号的文本,金额也一样",
    "the first line is the envelope, an object with batch_id and so on": (
        "首行是批次信息,即含 batch_id 等的对象"
    ),
    "a key twice": "重复的键",
    "another JSON value": "另一种 JSON 值",
    "another value in {}": "{} 中的另一个值",
    "a value of type {}": "类型为 {} 的值",
    "{} payments": "{} 笔",
    "see bankgate.toml": "见 bankgate.toml",
    "nothing was stored": "未保存任何内容",
    "correct the batch and submit it again; nothing was stored": "请更正批次后重新提交;未保存任何内容",
    "check the path": "请检查路径",
    "is used by an earlier batch": "已被先前的批次使用",
    "{} is used by an earlier batch": "{} 已被先前的批次使用",
    "an id of its own": "独有的编号",
    "an id that no other payment of the platform has": "本平台其他明细没有的编号",
    "give each payment its own id; a payment that is paid again gets a new one and names the old": (
        "每笔用独有的编号;补发的用新编号并注明原编号"
    ),
    "batch {} of {} was submitted before with other content": "{1} 的批次 {0} 此前已提交,内容不同",
    "a batch id is used once: give the changed list a new one": "批次号只用一次:更改后的名单请用新批次号",
}
_FIELDS: dict[str, str] = {
    "nothing": "空",
    "none": "无",
    "{} to {} digits": "{} 至 {} 位数字",
    "{} to {} digits without spaces": "{} 至 {} 位数字,不含空格",
    "{} to {} digits, none of them full-width": "{} 至 {} 位数字,不用全角",
    "format the column as text before typing or pasting numbers": "请先将该列设为文本格式,再录入或粘贴号码",
    "an account": "账号",
    "an ID number with a birth date and check digit": "出生日期和校验位正确的身份证号",
    "a credit code with its check character": "校验位正确的统一社会信用代码",
    "an ID number or a credit code": "身份证号或统一社会信用代码",
    "an ID number of a known province": "省份代码已知的身份证号",
    "an ID number with a birth date in the past": "出生日期在今日之前的身份证号",
    "a capital X; it is taken as that": "大写 X(已按大写处理)",
    "12 digits with the right check digit": "校验位正确的 12 位数字",
    "an id without a name, ID or account number in it": "不含姓名、证件号或账号的编号",
    "an amount above 0": "大于 0 的金额",
    "at most two decimals": "至多两位小数",
    "round the amount in the sheet itself": "请在表格中先行取整到分",
    "yuan such as 1234.56, without separators": "如 1234.56 的元,不用千分位",
    "yuan such as 1234.56": "如 1234.56 的元",
    "1 to 64 letters, digits, hanzi or . _ : / # - that begin with a letter, digit or hanzi": (
        "1 至 64 个字母、数字、汉字或 . _ : / # -,以字母、数字或汉字开头"
    ),
    "text without control or invisible characters": "不含控制字符或不可见字符的文本",
    "no spaces before or after": "前后没有空格",
    "at most {} characters": "至多 {} 个字符",
    "standard characters only": "只用标准字符",
    "the bank may not know this code point": "银行可能不认识此字",
    "a text cell": "文本单元格",
    "no UTF-8": "不是 UTF-8",
    "digits of the number are lost: format the column as text, then paste the values again": (
        "数字已丢位:请将该列设为文本格式后重新粘贴"
    ),
    "format dates and yes/no values as text": "日期和是否值请设为文本格式",
    "format the cell as text": "请将单元格设为文本格式",
    "a cell that is no text": "不是文本单元格",
    "a number cell": "数字单元格",
    "a {} cell": "{} 单元格",
    "{} character ({})": "{} 个字符({})",
    "{} characters ({})": "{} 个字符({})",
    "a number": "数字",
    "a card number with a valid check digit": "校验位正确的卡号",
    "a card prefix of this bank": "本行的卡号前缀",
    "a length of {} digits": "{} 位数字",
    "at most {} for one payment": "单笔至多 {}",
    "at most {}": "至多 {}",
    "one of {}": "{} 之一",
    # Who may hold the account.
    "household_head or household_designated for a household payment": (
        "household_head(户主)或 household_designated(家庭共同指定),因属家庭类补贴"
    ),
    "self or other for a payment that is no household payment": ("self(本人)或 other(他人),因非家庭类补贴"),
    "the reference of the family's designation": "家庭指定书编号",
    "the rule that permits another person's account": "允许使用他人账户的依据",
    "the name of the other person": "他人姓名",
    "the beneficiary's own name where the role is self": "享受对象本人姓名(身份为本人)",
    "the beneficiary's own number where the role is self": "享受对象本人证件号(身份为本人)",
    "the legal ground of the custody": "代管代持的法定依据",
    "the custodian's name": "代管人姓名",
}
_RULES: dict[str, str] = {
    "{} has no profile": "{} 没有银行档案",
    "one of the banks with a profile: {}": "有档案的银行之一:{}",
    "correct the bank, or add its profile": "请更正银行,或建立其档案",
    "an agreement with {} that entrusts it today, to this platform": "与 {} 有今日有效、适用本平台的委托协议",
    "renew or extend the agreement, or correct department, programme or bank": (
        "请续签或延长协议,或更正部门、项目或银行"
    ),
    "an agreement of the department with {} that entrusts the programme today": (
        "该部门与 {} 有今日有效、委托该项目的协议"
    ),
    "no agreement entrusts {} of {} to {}": "没有协议将 {1} 的 {0} 委托 {2} 发放",
    "add the agreement, or correct department, programme or bank": "请登记协议,或更正部门、项目或银行",
    "agreement {} with {} is in force from {} until {} only": "与 {1} 的协议 {0} 仅于 {2} 至 {3} 有效",
    "agreement {} with {} is for {} only": "与 {1} 的协议 {0} 仅适用 {2}",
    "agreement {} with {} does not name platform {}": "与 {1} 的协议 {0} 未列平台 {2}",
    "{} is not in the catalogue": "{} 不在项目目录中",
    "a programme of the catalogue": "目录中的项目",
    "add the programme to the catalogue: what an agreement entrusts then goes on": (
        "请将该项目列入目录:协议已委托的随后即可发放"
    ),
    "{} is classified": "{} 属涉密事项",
    "nothing classified through this gateway": "不属涉密的事项",
    "pay it on the way that is laid down for classified matters": "请按涉密事项规定的渠道发放",
    "{} does not pay {}": "{} 不是 {} 的发放部门",
    "correct the department, or permit it in the catalogue": "请更正部门,或在目录中许可该部门",
    "person for {}": "个人用于 {}",
    "household for {}": "家庭用于 {}",
    "organisation for {}": "单位用于 {}",
    "person or household": "个人或家庭",
    "{} for what is paid by the {}": "{} 用于按 {} 发放的项目",
    "person": "个人",
    "household": "家庭",
    "organisation": "单位",
    "month": "月",
    "quarter": "季度",
    "term": "学期",
    "year": "年",
    "request": "申请",
    "a month such as 2026-09": "如 2026-09 的月份",
    "a quarter such as 2026-Q3": "如 2026-Q3 的季度",
    "a term such as 2026-T1 (spring) or 2026-T2 (autumn)": "如 2026-T1(春季)或 2026-T2(秋季)的学期",
    "a year such as 2026": "如 2026 的年份",
    "write the period in the programme's form, so that a second payment of it is found": (
        "请按该项目的形式书写期间,以便发现同期重复"
    ),
    "pay it to the household's head, or to the account that the family named together": (
        "请发放给户主,或家庭共同指定的账户"
    ),
    "another person's account": "他人账户",
    "the beneficiary's own, or {}": "享受对象本人的账户,或 {}",
    "a rule that permits it": "允许的依据",
    "two persons who have looked: {}": "两人复核:{}",
    "the catalogue cites no rule that lets another person's account be paid": (
        "目录中没有允许发放到他人账户的依据"
    ),
    "the same {}, programme and period as {} of batch {}/{}": "与批次 {2}/{3} 的 {1} 为同一{0}、项目和期间",
    "the same {}, programme and period as {}": "与 {1} 为同一{0}、项目和期间",
    "one payment a {}, programme and period": "同一{}、项目和期间只发一笔",
    "beneficiary": "享受对象",
    "a payment that is paid again names the one that it replaces in reissue_of": (
        "补发的明细应在 原明细编号 中注明所补发的那一笔"
    ),
}
_REISSUES: dict[str, str] = {
    "has unknown columns: {}": "有未知的列:{}",
    "lacks: {}": "缺少:{}",
    "has a column twice: {}": "有重复的列:{}",
    "a table with payment_id, verified_by, verified_on, ground and what has changed": (
        "含 明细编号、核实人、核实日期、核实依据 及更正内容的表格"
    ),
    "is in several rows": "出现在多行",
    "one correction a payment": "每笔只有一行更正",
    "the row has too many or too few cells": "该行单元格过多或过少",
    "as many as headers": "与表头数相同",
    "{} is empty or too long": "{} 为空或过长",
    "who verified it, when, on what ground": "何人、何时、依据什么核实",
    "verified_on is no date": "核实日期不是日期",
    "a date such as 2026-11-20": "如 2026-11-20 的日期",
    "{} is a number, whose digits may be lost": "{} 是数字,可能已丢位",
    "a cell formatted as text": "文本格式的单元格",
    "{} is none of its words": "{} 不是可用的词",
    "the amount is unreadable": "金额无法读取",
    "nothing was made": "未生成任何内容",
    "there is no such payment": "没有这笔明细",
    "a payment of {}": "{} 的明细",
    "exactly {}": "恰为 {}",
    "a payment that was set aside, failed or returned, and that no other replaces": (
        "退回核实、发放失败或退汇、且未经补发的明细"
    ),
    "one that was set aside, failed or returned, with the missing amount": (
        "退回核实、发放失败或退汇的明细,金额为尚缺的数"
    ),
    "verified on {}": "核实日期为 {}",
    "a day from {}, when its first outcome came, until {}": "自首次有结果的 {} 起至 {} 的日期",
    "its department, programme or period was none that is known, and is kept unreadable": (
        "其部门、项目或期间未知,且保存为不可读"
    ),
    "a payment of your own, with the right ones, that names it in reissue_of": (
        "自行提交内容正确的明细,并在 原明细编号 中注明此笔"
    ),
    "a payment of your own that names it in reissue_of": "自行提交明细,并在 原明细编号 中注明此笔",
    "its personal data is destroyed": "其个人数据已销毁",
    "no such payment of this platform": "本平台没有这笔明细",
    "{} was to be paid, this one is {}": "应补 {},此笔为 {}",
    "it is {}, and only set aside, failed or returned payments are paid again": (
        "该笔处于“{}”,只有退回核实、发放失败或退汇的才可补发"
    ),
    "its file is not settled yet": "所在文件尚未结清",
    "another payment replaces it already": "已有另一笔补发",
    "another payment replaces it already: {}": "已有另一笔补发:{}",
}
_CARD_LISTS: dict[str, str] = {
    "says {} twice": "{} 出现两次",
    "each once": "各一次",
    "a row with {}": "含 {} 的一行",
    "lacks {}": "缺少 {}",
    "has unknown columns {}": "有未知的列 {}",
    "has twice {}": "有重复的列 {}",
    "the columns {}": "列 {}",
    "has over {} rows": "超过 {} 行",
    "fewer": "较少的行",
    "too many or too few cells": "单元格过多或过少",
    "a number, whose digits may be lost": "是数字,可能已丢位",
    "a person's name": "姓名",
    "an ID with its check digit": "校验位正确的证件号",
    "the passbook's account": "一本通账号",
    "the account of the card": "社保卡银行账号",
    "a bank with a profile: {}": "有档案的银行:{}",
    "source_platform is {}": "来源平台为 {}",
    "drawn_on is {}": "导出日期为 {}",
    "declared_count is {}": "总行数为 {}",
    "the day on which the platform drew it, as 2026-11-20": "平台导出的日期,如 2026-11-20",
    "how many rows it has": "行数",
    "says {} rows and has {}": "申报 {} 行,实有 {} 行",
    "all of its rows: was it cut?": "全部各行:是否被截断?",
    "has no rows": "没有数据行",
    "a row for each passbook": "每个一本通账户一行",
    "the same person has another card in row {}": "同一人在第 {} 行另有一张卡",
    "one card a person": "一人一卡",
    "the same ID has another name in row {}": "同一证件号在第 {} 行姓名不同",
    "one name a person": "一人一名",
    "another person of row {} has one of its accounts": "第 {} 行的另一人有其中一个账号",
    "accounts of this person alone": "仅属此人的账号",
    "its card is a passbook in row {}": "其卡在第 {} 行是一本通账户",
    "a card that is no passbook": "不是一本通账户的卡",
    "the same person and passbook as row {}": "与第 {} 行为同一人、同一一本通账户",
    "a list of {} of {} counts already, this one is of {}": "{} 于 {} 导出的清单已生效,此份为 {} 的",
    "bring a newer one; where that one is wrong: bankgate held drop-list {}": (
        "请提交更新的清单;若已生效的有误:bankgate held drop-list {}"
    ),
    "no card list counts": "没有生效的对照清单",
    "a platform's list is brought in by `bankgate cards take LIST`; `bankgate cards list` shows those"
    " that were": ("平台的清单用 bankgate cards take 提交;bankgate cards list 列出已提交的"),
    "the last {} digits of the card, or more of them": "卡号末 {} 位,或更多位",
    "{} beside {}": "{} 与 {} 并存",
    "an account, or how the known card ends": "账号,或已知卡号的末几位",
    "{} is unreadable": "{} 无法读取",
    "the account is not the beneficiary's own": "账户不是享受对象本人的",
    "that account, in full": "该账号全号",
    "no card list names a card of the beneficiary, or they say two things": (
        "清单未列该享受对象的卡,或所列不一"
    ),
    "the account": "账号",
    "{} names the beneficiary otherwise": "{} 所列姓名不同",
    "the account, in full": "账号全号",
    "{} of {} names a card that ends otherwise": "{1} 的 {0} 所列卡号末几位不同",
    "the account in full, where the card in the beneficiary's hand is another one": (
        "账号全号(若享受对象手中是另一张卡)"
    ),
    "goes to {} at {}": "将发往 {1} 的 {0}",
    "no account": "无账号",
    "{} of {} names the card {} at {}": "{1} 的 {0} 所列为 {3} 的卡 {2}",
    "the account that was verified": "经核实的账号",
}
_LISTS: dict[str, str] = {
    "has no headers": "没有表头",
    "a row with {} and {}": "含 {} 和 {} 的一行",
    "has this column twice": "此列重复",
    "it once": "只出现一次",
    "has no column {}": "没有列 {}",
    "{} and 金额(元)": "{} 和 金额(元)",
    "is the list of batch {}": "是批次 {} 的公示名单",
    "the list of batch {}": "批次 {} 的公示名单",
    "is empty": "为空",
    "the id of a payment": "明细编号",
    "is a number, whose digits may be lost": "是数字,可能已丢位",
    "is no amount": "不是金额",
    "{} more problems are not listed": "另有 {} 个问题未列出",
    "nothing was compared": "未作核对",
}
_DECISIONS: dict[str, str] = {
    "{} does not take the decision {}": "{} 不接受决定 {}",
    "{} does not take the decision {} yet: {}": "{} 暂不接受决定 {}:{}",
    "the terms of {}'s statement are none: {}": "{} 所签内容不合规:{}",
    "possible: {}": "可作的决定:{}",
    "none: nothing is to be decided": "无:没有待决事项",
    "the agreement's reconciliation rule wants that to be settled first (plan section 四(四))": (
        "协议的对账办法要求先行了结(方案 四(四))"
    ),
    "{} payments, {}, have no final result": "{} 笔 {} 没有最终结果",
    "results say {}, statements booked {}": "回盘 {},对账单记账 {}",
    "{} payments are booked otherwise than their results": "{} 笔与对账单不符",
    "{} rests on a letter or a voucher": "{} 须凭函件或凭证",
    "attach it: --evidence FILE": "请附上:--evidence FILE",
    "{} does not rest on sha256:{}": "{} 不以 sha256:{} 为依据",
    "name one of {}": "请指明 {} 之一",
    "{} takes no reason": "{} 不用说明事由",
    "leave it out": "请去掉",
    "{} wants an explanation while this is open: {}": "{} 须说明,因尚未了结:{}",
    "{} payments, {} yuan: {}": "{} 笔 {} 元:{}",
    "results say {} yuan, statements booked {} yuan": "回盘 {} 元,对账单记账 {} 元",
    "{} charges of banks, {} yuan": "银行违规收费 {} 笔 {} 元",
    "{} recoveries, {} yuan outstanding": "追回中 {} 笔,未追回 {} 元",
    "--reason TEXT says what was compared, and why it is closed all the same": (
        "用 --reason 说明核对了什么、为何仍予结账"
    ),
    "{} takes no amount": "{} 不用写金额",
    "{} says how much": "{} 须写金额",
    "--amount YUAN, at most {}": "--amount 元,至多 {}",
    "{} amount: found {}": "{} 的金额:现为 {}",
    "{} ground: found {}": "{} 的依据:现为 {}",
    "0.01 to {}": "0.01 至 {}",
    "no more is left of what was paid, or of what was to come back": "已付或应追回的余额不足",
    "--ground GROUND": "--ground 依据",
    "{} has changed since {} looked": "{} 在 {} 查看之后已有变化",
    "look again, then sign": "请重新查看后再签署",
    "the decision about {} was signed for {}, this is {}": "关于 {} 的决定是为 {} 签署的,本系统为 {}",
    "look at it here (`bankgate status` shows this installation), then sign": (
        "请在本系统查看(bankgate status 显示本系统标识)后再签署"
    ),
    "person {} is not enrolled": "人员 {} 未登记",
    "enrolled: {}": "已登记:{}",
    "the signature is not {}'s: {}": "不是 {} 的签名:{}",
    "{} has decided this already": "{} 已作出此决定",
    "another person must decide too": "须由另一人复核",
    "payments of file {} are just being uploaded in file {}": "文件 {} 的明细正随文件 {} 上传",
    "bankgate hold bank:{}, then decide again": "先执行 bankgate hold bank:{},再作决定",
    "file {} is not sealed any more": "文件 {} 已不处于已封装状态",
    "file {} is reopened": "文件 {} 已重开",
    "received file {} is not {} any more": "收到的文件 {} 已不处于“{}”",
    "{}: a part was noted on this voucher already": "{}:凭此凭证已登记过一笔追回款",
    "one voucher counts once; where the part was wrong, two persons strike it first": (
        "一份凭证只算一次;若登记有误,先由两人冲销"
    ),
    "nothing is called {}": "没有名为 {} 的对象",
    "`bankgate held` lists what waits, with names": "bankgate held 列出待处理事项及其名称",
    "no exhibit with this digest is kept": "没有此摘要的证据",
    "`bankgate held` shows digests": "bankgate held 显示摘要",
    "attach the file first": "请先附上文件",
    "attach a smaller scan": "请附较小的扫描件",
    "attach what the bank wrote": "请附银行来函",
    "it is empty": "为空",
    "the reason": "事由",
    "it is empty, too long or not a line": "为空、过长或不是一行",
}
_ENROLMENT: dict[str, str] = {
    "{} is enrolled with this key already, as {}": "{} 已用此密钥登记为 {}",
    "{} has another key in force, {}": "{} 另有有效密钥 {}",
    "--renew ends that one, and begins with the new one": "--renew 终止该密钥并启用新密钥",
    "{} is not enrolled": "{} 未登记",
    "{} has not begun yet": "{} 尚未生效",
    "take its block out of the ring by hand: nothing can rest on it": (
        "请手工将其从密钥环中去掉:尚无任何签署以它为凭"
    ),
    "{} has no key in force": "{} 没有有效密钥",
    "{} is there already, with another key": "{} 已存在,是另一把密钥",
    "move it away": "请移走",
    "{} cannot be a person's name here": "{} 不能用作人员名称",
    "lower-case letters, digits, - and _, at most 32 characters": "小写字母、数字、- 和 _,至多 32 个字符",
    "{} is new: the title is wanted": "{} 是新人员:须给出姓名",
    "give the name as people write it": "请按通常写法给出姓名",
    "{} is called {} in the configuration": "{} 在配置中名为 {}",
    "change it there": "请在配置中更改",
    "{} is no fingerprint": "{} 不是指纹",
    "{} to 64 hex digits; blanks and colons may stand between them": (
        "{} 至 64 位十六进制数字,其间可有空格和冒号"
    ),
    "{} has the fingerprint {}..., not {}...": "{} 的指纹是 {}…,不是 {}…",
    "this is not the key that its owner reads out: do not enrol it, ask where it comes from": (
        "这不是本人所念的密钥:不要登记,请查问来源"
    ),
    "the key {}... is {} in the ring already": "密钥 {}… 已在密钥环中,为 {}",
    "a person's key is no machine's: have the person make one (bankgate operator new-key)": (
        "人员的密钥不可用作机器密钥:请本人生成(bankgate operator new-key)"
    ),
    "the key {}... is enrolled for {}, as {}": "密钥 {}… 已登记给 {},为 {}",
    "each person makes a key of the own": "每人各自生成密钥",
}
_ASKED: dict[str, str] = {
    "{} problem": "{} 个问题",
    "{} problems": "{} 个问题",
    "there is no batch {}": "没有批次 {}",
    "`bankgate status` lists the batches": "bankgate status 列出各批次",
    "several platforms have a batch {}": "多个平台有批次 {}",
    "write PLATFORM/{}": "请写作 平台/{}",
    "no payment has the id {}": "没有编号为 {} 的明细",
    "the anchor could not be asked: {}": "无法询问锚点:{}",
    "no anchor is configured: a journal that was cut or restored would not be noticed": (
        "未配置锚点:日志被截断或还原无从发现"
    ),
    "enter [anchor] in bankgate.toml: docs/configuration.md": (
        "请在 bankgate.toml 中设 [anchor]:见 docs/configuration.md"
    ),
    "bank {} has no profile": "银行 {} 没有档案",
    "banks with a profile: {}": "有档案的银行:{}",
    "several platforms have a payment {}": "多个平台有明细 {}",
    "name the platform: --platform NAME": "请指明平台:--platform 名称",
    "ids are those of the lists that were handed over": "编号即所提交名单中的编号",
    "there is no platform {}": "没有平台 {}",
    "the catalogue has no field {}": "目录没有领域 {}",
    "fields: {}": "领域:{}",
    "the catalogue has no programme {}": "目录没有项目 {}",
    "`bankgate catalogue list` shows what it has": "bankgate catalogue list 列出目录内容",
    "this gateway has no catalogue": "本系统没有项目目录",
    "bankgate catalogue new catalogue.toml, then [gateway] catalogue in bankgate.toml": (
        "先执行 bankgate catalogue new catalogue.toml,再在 bankgate.toml 的 [gateway] 中设 catalogue"
    ),
    "a name in {}": "以 {} 结尾的文件名",
    "{} is no month": "{} 不是月份",
    "{} is a folder": "{} 是文件夹",
    "name a file in it": "请指定其中的文件名",
    "{} is there already and is not overwritten": "{} 已存在,不予覆盖",
    "name a new file": "请指定新文件名",
    "{} cannot be written: {}": "{} 无法写入:{}",
    "nothing of it was kept: make room": "未保留任何内容:请腾出空间",
    "name a file in a folder of yours": "请指定您自己文件夹中的文件名",
}
FAMILIES: dict[str, dict[str, str]] = {
    "the form of batches": _BATCH_FORM,
    "fields of payments": _FIELDS,
    "rules of the plan": _RULES,
    "reissues": _REISSUES,
    "published lists": _LISTS,
    "card lists": _CARD_LISTS,
    "decisions": _DECISIONS,
    "enrolment of persons": _ENROLMENT,
    "what was asked for": _ASKED,
}
"""English to Chinese, by what it is about. `{}` is a place; `{1}` in Chinese is the second one."""
