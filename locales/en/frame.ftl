# The frame of every page: header, footer, steps, times, common buttons
language-name = English
brand = Tuantibu
title = { $heading } - Tuantibu
title-failed = Error: { $heading } - Tuantibu
skip = Skip to content
nav-label = Main links
nav-registers = My registers
nav-mine = My consents
nav-sign-out = Sign out
foot-privacy = Privacy
foot-help = Help
foot-accessibility = Accessibility
list-separator = { ", " }
date-long = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
time-today = today { $time }
time-yesterday = yesterday { $time }
time-tomorrow = tomorrow { $time }
data-time = Data from { $time }
data-time-none = No data has been read yet
data-time-next = Data from { $time }, next update { $next }
time-then-next = { $time }, next update { $next }
next-refresh = Next update { $next }
step-of = Step { $number } of { $of }:{ " " }
step-back = Back
step-identity = your identity
step-code = SMS code
step-terms = read before you decide
step-organisation = your group
step-items = items and requirements
step-check = check and create
step-invite = whom you invite
step-hand-over = who takes over
step-export = format and purpose
optional = (optional)
required = Required
may = Optional
get-code = Get an SMS code
resend = Send again
resend-in = Send again in { $seconds } s
try-again = Try again
go-home = Back to the start
go-back = Back
go-to-mine = See my consents
go-to-sign-in = Sign in again
go-again = Get a new code
back-to-mine = My consents
back-to-list = Back to the list
demo-mark = Demo
demo-mark-words = Demo: everything is invented.
demo-mark-link = Messages and people

# Lists of facts
fact-organisation = Group
fact-administrator = Run by
fact-since = Since
fact-until = Until
fact-becomes = Becomes
fact-inviter = Invited by
fact-contact = Contact
fact-purpose = Purpose
fact-ends = Ends
fact-name = Name
fact-document = ID
fact-phone = Phone
fact-given-to = Given to
fact-items = Items
fact-sharing = Sharing
fact-department = Department
fact-version = Statement
fact-time = Time
fact-number = Receipt no.
fact-joined = Joined
fact-state = State
fact-content = Content
fact-title = Position
fact-data-time = Data
ends-on = until { $day }
ends-never = No end date
vouched = The operator has checked this name
not-vouched = The name is the administrator’s own word, not checked
verified = Identity verified
consent-version = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
