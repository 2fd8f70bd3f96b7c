"""Calls written for the report tests: rules, agents, and dialogues with the words that findings rest on.

A dialogue is written as lines. `坐` agent, `客` customer, `机` voice menu; `{rule.id|words}` marks the words a finding
rests on; `[[kind|stand-in]]` a masked stretch; `~12` a silence of 12 s, `~12!` one the agent announced; a line starting
with `/` begins before the last one ended; `?` after the speaker makes the turn suspect.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qa_monitor.records import Agent, ResolutionLabel, Role, Severity

DIMENSIONS = ("服务规范", "服务态度", "沟通技巧", "业务能力与问题解决", "合规与安全")
WEIGHTS = {"服务规范": 0.2, "服务态度": 0.25, "沟通技巧": 0.15, "业务能力与问题解决": 0.25, "合规与安全": 0.15}
SPEAKERS: dict[str, Role] = {"坐": "agent", "客": "customer", "机": "ivr", "？": "unknown"}
SCORER = "基线"


@dataclass(frozen=True)
class Rule:
    name: str
    category: str
    severity: Severity
    points: float
    veto: bool = False


RULES: dict[str, Rule] = {
    "opening.greeting": Rule("开场问候", "服务规范", "minor", 2),
    "opening.self_intro": Rule("自报家门", "服务规范", "minor", 2),
    "opening.ask_need": Rule("询问需求", "服务规范", "minor", 2),
    "identity.verify": Rule("核实身份", "合规与安全", "major", 6),
    "hold.courtesy": Rule("等待礼貌", "沟通技巧", "minor", 4),
    "empathy.apology": Rule("致歉安抚", "服务态度", "major", 6),
    "safety.advice": Rule("安全提示", "合规与安全", "critical", 10),
    "solution.confirm": Rule("确认方案", "业务能力与问题解决", "minor", 4),
    "closing.anything_else": Rule("询问其他需求", "服务规范", "minor", 2),
    "closing.farewell": Rule("礼貌结束", "服务规范", "minor", 2),
    "attitude.forbidden_expression": Rule("服务忌语", "服务态度", "critical", 15, veto=True),
    "attitude.blame_customer": Rule("指责客户", "服务态度", "major", 8),
    "attitude.buck_passing": Rule("推诿", "服务态度", "critical", 12),
    "attitude.interrupt": Rule("打断客户", "沟通技巧", "major", 5),
    "attitude.impatience": Rule("不耐烦", "服务态度", "major", 6),
    "promise.time_limit": Rule("承诺时限", "业务能力与问题解决", "major", 6),
    "privacy.leak": Rule("泄露隐私", "合规与安全", "critical", 20, veto=True),
    "jargon": Rule("使用专业术语", "沟通技巧", "minor", 2),
    "complaint.accept": Rule("投诉受理", "业务能力与问题解决", "major", 6),
    "process.friction": Rule("折腾客户", "业务能力与问题解决", "major", 5),
}

AGENTS: dict[str, Agent] = {
    "007": Agent("007", "沈嘉宁", "一班", "故障报修", "客户代表", "2021-03-15"),
    "1024": Agent("1024", "顾远", "一班", "综合业务", "客户代表", "2024-07-01"),
    "2E5": Agent("2E5", "温若溪", "二班", "综合业务", "资深客户代表", "2018-09-10"),
    "3310": Agent("3310", "邢砚", "二班", "电费服务", "客户代表", "2023-02-20"),
    "4408": Agent("4408", "乔一帆", "三班", "故障报修", "见习客户代表", "2026-10-12"),
}


@dataclass(frozen=True)
class Script:
    """A call to be made: its lines, and what the models would say of it."""

    call_id: str
    agent_id: str | None
    started_at: str
    business: str
    lines: str
    politeness: float | None
    resolution: ResolutionLabel | None
    satisfaction: float | None
    broken: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ("hold.courtesy", "complaint.accept")
    whys: dict[str, str] = field(default_factory=dict)
    emotions: dict[int, str] = field(default_factory=dict)
    kind: str = "audio"
    mono: bool = False


SCRIPTS: tuple[Script, ...] = (
    Script(
        "HX20261103-0917", "007", "2026-11-03T09:17:42+08:00", "故障报修",
        """机 欢迎致电九五五九八，人工服务请按零
坐 {opening.greeting|您好}，{opening.self_intro|国家电网零零七号}客户代表为您服务，{opening.ask_need|请问有什么可以帮您}？
客 哎你好，我们这栋楼从早上六点多就没电了，楼道灯也不亮
坐 给您的生活{empathy.apology|添麻烦了，非常抱歉}。请问是您一家没电，还是整栋楼都没有？
客 整栋都没有，对面那栋有电
坐 好的，您的户号或者住址方便报一下吗？
客 户号我查查啊，[[户号|【户号】]]，住[[地址|【住址】]]
~6
坐 我跟您核对一下，{identity.verify|户号尾号零二一七，住址是梧桐里那边对吗}？
客 对，没错
坐 {hold.courtesy|请您稍等，我查一下停电信息}
~14!
坐 {hold.courtesy|让您久等了}，系统里没有计划停电，应该是楼下进线开关的故障，我现在就派抢修
客 那大概什么时候能来啊，家里有老人用制氧机呢
坐 城区{promise.time_limit|四十五分钟之内到现场}，我备注了家里有用氧老人，会催他们优先。这段时间{safety.advice|请不要自己去动楼下的配电箱}
客 好好，这就放心了
坐 抢修人员到之前会打您[[手机号|【手机】]]这个电话，{solution.confirm|我再复述一遍：梧桐里三号楼整栋停电，优先处理，您看可以吗}？
客 可以可以，谢谢你啊姑娘
坐 不客气，{closing.anything_else|请问还有别的需要吗}？
客 没了
坐 感谢您的来电，{closing.farewell|祝您生活愉快，再见}""",
        4.6, "resolved", 4.5, skipped=("complaint.accept",), emotions={1: "anxious", 13: "positive"},
    ),
    Script(
        "HX20261103-1042", "1024", "2026-11-03T10:42:05+08:00", "电费查询",
        """坐 {opening.greeting|喂}，讲
客 你好，我想问一下我家这个月电费怎么一下子涨了一倍多
坐 户号
客 [[户号|【户号】]]
坐 用了四百二十度，系统就是这么显示的
客 可是我们家上个月一直出差，家里都没人啊
/坐 {attitude.interrupt|没人你冰箱不插电吗}
客 冰箱也用不了四百度吧，是不是表有问题
坐 {attitude.blame_customer|你自己用的电你自己不清楚}，{attitude.forbidden_expression|你问我我问谁啊}
客 你这什么态度啊，我就是想查一下
~9
坐 {attitude.buck_passing|抄表的事不归我们管，你去找供电所}
客 供电所让我打你们电话，你又让我找供电所
/坐 {attitude.impatience|行了行了，我说得够清楚了}
客 你工号多少，我要投诉你
坐 {complaint.accept|投诉随便你}
客 你……喂？""",
        1.3, "unresolved", 1.2,
        broken=("opening.greeting", "opening.self_intro", "opening.ask_need", "identity.verify", "attitude.interrupt",
                "attitude.blame_customer", "attitude.forbidden_expression", "attitude.buck_passing",
                "attitude.impatience", "complaint.accept", "empathy.apology", "solution.confirm",
                "closing.anything_else", "closing.farewell", "promise.time_limit"),
        skipped=("hold.courtesy", "safety.advice", "process.friction"),
        whys={"attitude.forbidden_expression": "坐席使用服务忌语：“你问我我问谁啊”",
              "attitude.buck_passing": "坐席推诿，没有核实也没有后续：“抄表的事不归我们管，你去找供电所”",
              "empathy.apology": "客户不满，坐席没有致歉或安抚"},
        emotions={2: "annoyed", 6: "angry", 9: "angry", 14: "angry"},
    ),
    Script(
        "HX20261104-1510", "2E5", "2026-11-04T15:10:33+08:00", "业扩报装",
        """坐 {opening.greeting|您好}，{opening.self_intro|国网客服二一五号}，{opening.ask_need|请问需要办理什么业务}？
客 我在老街那边盘了个门面，想开个小吃店，电不够用
坐 明白，您这是要增容。请问现在的电表是单相还是三相？
客 这个我不懂，就普通的那种
坐 没关系，您看表上有没有写二百二十伏或者三百八十伏？
客 写的二百二
坐 那就是单相。您打算用哪些电器，大概{jargon|报装容量}多少千瓦？
客 什么容量？就两个电炸炉，一个冰柜，加空调
坐 抱歉我说得不清楚，就是这些电器加起来要多少电。按您说的大概十八个千瓦，需要换成三相表
客 哦哦，那要交多少钱，要跑几趟啊
坐 {solution.confirm|低压增容不收费}，手机上就能办，准备好身份证和房屋租赁合同拍照上传
~4
客 那多久能通电？
坐 {promise.time_limit|资料齐全的话六个工作日之内}，办好会短信通知您
客 行，那我试试，弄不来再打给你们
坐 好的，{closing.anything_else|您还有其他问题吗}？
客 没有了，谢谢
坐 感谢来电，{closing.farewell|再见}""",
        4.1, "resolved", 4.0, broken=("jargon",),
        skipped=("hold.courtesy", "complaint.accept", "identity.verify", "safety.advice", "empathy.apology"),
        whys={"jargon": "坐席对客户使用未解释的专业术语：“报装容量”"},
    ),
    Script(
        "HX20261105-0831", "3310", "2026-11-05T08:31:10+08:00", "催费",
        """坐 {opening.greeting|您好}，这里是供电公司，{opening.self_intro|三三一零号}，请问是[[姓名|【姓名】]]先生吗？
客 是我，什么事
坐 您家十月份的电费一百八十六块四，到今天还没交，{opening.ask_need|想提醒您一下}
客 我不是绑了银行卡自动扣的吗
坐 我看一下，{hold.courtesy|您稍等}
~11!
坐 是这样，您的卡上个月余额不足没有扣成功，{privacy.leak|您爱人那张尾号三三的卡倒是有钱}
客 啊？你们还能看到我老婆的卡？
坐? 谢谢观看请订阅
坐 哦不是，是这个户号下面登记的两张卡。您可以今天补交一下，免得影响用电
客 好吧，我手机上交
坐 交了以后大概{promise.time_limit|半小时到账}，{closing.farewell|再见}""",
        3.4, "partial", 2.6, broken=("privacy.leak", "closing.anything_else", "solution.confirm"),
        suspected=("attitude.blame_customer",), unsure=("empathy.apology",),
        skipped=("complaint.accept", "safety.advice", "process.friction"),
        whys={"privacy.leak": "坐席向来电人透露了他人的账户信息：“您爱人那张尾号三三的卡倒是有钱”",
              "attitude.blame_customer": "按读音与“怪您自己”相近，识别把握低，待人工确认",
              "empathy.apology": "第9轮识别不清，不能判断坐席是否致歉"},
        emotions={5: "annoyed", 7: "annoyed"}, mono=True,
    ),
    Script(
        "HX20261105-2206", "007", "2026-11-05T22:06:51+08:00", "故障报修",
        """坐 {opening.greeting|您好}，{opening.self_intro|零零七号}为您服务
客 快点快点，我家门口电线杆子冒火星了，噼里啪啦的
坐 您别靠近，{safety.advice|离电线杆至少八米，也别让孩子过去}，我马上记。您在哪个位置？
客 在[[地址|【住址】]]，村口变压器旁边
坐 记下了，村口变压器旁边的电线杆冒火花，对吗？
客 对对对，火星一直掉
/坐 {attitude.interrupt|有没有引燃旁边的东西}？
客 没有，旁边是水泥地
坐 好，抢修已经接单，{promise.time_limit|九十分钟内一定到}，我会盯着。{empathy.apology|让您受惊了}
客 行，麻烦快点
坐 您先在安全的地方等，有变化随时打过来，{closing.farewell|再见}""",
        4.3, "partial", 3.8, suspected=("attitude.interrupt",), broken=("opening.ask_need", "closing.anything_else"),
        skipped=("hold.courtesy", "complaint.accept", "identity.verify"),
        whys={"attitude.interrupt": "坐席在客户说话时开口 0.9 秒，属紧急询问，待人工确认"},
        emotions={1: "anxious", 5: "anxious"},
    ),
    Script(
        "T-88", "1024", "2026-11-06T13:20:00+08:00", "停电咨询",
        """坐 {opening.greeting|您好}，{opening.self_intro|一零二四号}，{opening.ask_need|请讲}
客 我们小区明天是不是要停电啊，物业群里传得乱七八糟
坐 我查一下，是的，明早七点到十二点线路检修
客 那提前也不说一声，我冰柜里一堆货
坐 {attitude.blame_customer|公告早就贴了，您自己没看}
客 谁天天看公告啊
坐 反正就是这个时间，{process.friction|您要不打物业问问，或者去营业厅问}
客 我打你们就是想问清楚嘛
坐 时间我告诉您了，{closing.farewell|再见}""",
        2.2, "partial", 2.0, broken=("attitude.blame_customer", "process.friction", "empathy.apology", "solution.confirm",
                                     "closing.anything_else"),
        skipped=("hold.courtesy", "complaint.accept", "identity.verify", "safety.advice", "attitude.interrupt"),
        emotions={3: "annoyed", 5: "annoyed"}, kind="text",
    ),
    Script(
        "HX20261106-1644", None, "2026-11-06T16:44:00+08:00", "发票咨询",
        """坐 {opening.greeting|您好}，{opening.ask_need|请问有什么可以帮您}？
客 我公司要开去年的电费专票，怎么弄
坐 您登录网上国网，在发票服务里选增值税专用发票，把税号填进去就可以
客 以前的月份也能补吗？
坐 可以，往前十二个月都能开，{solution.confirm|开好直接发到您邮箱}
客 好的谢谢
坐 不客气，{closing.anything_else|还有别的要帮忙的吗}？
客 没有了
坐 {closing.farewell|再见}""",
        4.0, "resolved", 4.2, broken=("opening.self_intro",),
        skipped=("hold.courtesy", "complaint.accept", "identity.verify", "safety.advice", "empathy.apology"),
    ),
)  # fmt: skip
