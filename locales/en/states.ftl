# States and verdicts
verdict-meets = Meets
verdict-fails = Does not meet
verdict-tomorrow = Expires tomorrow
verdict-unknown = Cannot tell
state-none = No record
state-not-matched = Not matched
state-source-unavailable = Source unavailable
state-stale = Out of date
state-not-shared = Not authorised
state-verdict-only = Verdict only
state-why-not-matched = Not found at the source; ask the person to check
state-why-stale = Over 24 hours old
state-why-not-shared = Not consented to yet
state-why-verdict-only = Their choice
state-source-unavailable-last = Last read { $time }
judged-by = Judged by the requirements of { $day }
days = { $days ->
    [one] 1 day
   *[other] { $days } days
}
days-more = { $days } days and more
test-negative = negative
test-positive = Positive
test-unknown = Cannot tell
sampled = Sampled { $day }
sampled-at = Sampled { $time }
reported = Reported { $day }
doses = { $count ->
    [one] 1 dose
   *[other] { $count } doses
}
last-dose = Last dose { $day }
certificate-until = Valid until { $day }
certificate-expired = Expired on { $day }
vaccine-booster = Booster
vaccine-complete = Primary series
vaccine-incomplete = Incomplete
vaccine-unsuitable = Not suitable
vaccine-unknown = Cannot tell
value-positive = Positive
value-negative = Negative
value-unknown = Cannot tell
value-overdue = Older than required
value-valid = Valid
value-expired = Expired
value-booster = Booster
value-complete = Primary series
value-incomplete = Incomplete
value-unsuitable = Not suitable
rule-none = No requirement
rule-is = Required: { $rule }
rule-test-days = negative within { $days ->
    [one] 1 day
   *[other] { $days } days
}
rule-dose-days = last dose within { $days } days
rule-allowed = only { $values }
rule-quoted = “{ $value }”
rule-or = {" or "}
rule-at-least = at least: { $value }
rule-certificate = still valid
rule-example = Counted from the day of sampling: sampled on { $sampled }, it meets until { $last } and no longer from 0:00 on { $over }.
