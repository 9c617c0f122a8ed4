# Registers: creating, list, code, export, settings
registers-title = My registers
registers-none = You have no register yet. Create one and share its code.
registers-members = { $count ->
    [one] 1 member
   *[other] { $count } members
}
registers-waiting = { $count } waiting to be matched
registers-role-administrator = co-administrator
registers-open = Open the list
register-frozen-note = The operator put this register on hold; nobody can join now. Please contact the operator.

new-title = Create a register
new-next-items = Next: items and requirements
new-items-title = What do you need to see?
new-items-lead = Choose only what you need. The less you ask for, the more people join.
new-next-check = Next: check and create
new-check-title = Check and create
new-check-lead = This is what members see when they scan the code.
new-check-fixed = Once somebody has joined, name and purpose cannot change.
new-create = Create the register
item-asked = Do members give it?
item-not-asked = Not asked for
item-required = Required
item-optional = Optional
item-rule = What meets?
street-province = Choose the province
street-district = Choose the city or district
street-street = Choose the street or town
street-again = Choose again

tabs-label = Register
tab-list = List
tab-code = Code
tab-export = Export
tab-administrators = People
tab-settings = Settings
source-failing = The source has been unreachable since { $since }. The list shows { $shown } and updates by itself.
source-failing-nothing = The source has been unreachable since { $since }. The list updates by itself.
tomorrow-count = { $count ->
    [one] 1 expires tomorrow:
   *[other] { $count } expire tomorrow:
}{ " " }
tomorrow-names = { $names }.
tomorrow-names-more = { $names } and others.
tomorrow-remedy = { " " }{ $item } taken today still meets tomorrow.
waiting-note = { $count ->
    [one] 1 person is
   *[other] { $count } people are
} waiting to be matched: they can join once the source is back.
members-none = Nobody has joined yet. Share the code.
members-none-code = See the code
members-all = { $count ->
    [one] 1 member
   *[other] { $count } members
}
members-caption = Members, those needing action first
summary-label = Members by verdict
bar-part = { $word }: { $count }
tile-tomorrow = { $count } of them expire tomorrow
chosen-again = Shown now; press again to clear
facets-label = Filters
facet-states = No data
facet-departments = Departments
facet-none = Nothing yet
filter-title = Filters
filter-no-hit = No such member
filters-clear = Clear filters
chip-chosen = { $group }: { $word }
search-label = Search by name
search-button = Search
search-found = { $count ->
    [one] 1 member has
   *[other] { $count } members have
} “{ $name }” in the name.
search-clear = Show all
search-no-hit = No member named “{ $name }”
column-who = Name, department
column-ids = ID, phone
column-verdict = Verdict
column-time = Data
document-tail = ends in { $tail }
failing = Does not meet: { $items }
read-label = Data
pager = { $shown } on this page of { $total }, those needing action first
pager-added = { $shown } shown of { $total }, those needing action first
pager-next = Next page
list-changed = The counts have just changed; the list below is as it was opened.
list-update = Update the list

phone-show = Show the phone number
phone-hint = Only to reach the person. When you looked is recorded, and the person can see it.
phone-logged = This look was recorded; the person can see it
phone-call = Call { $phone }
remove-entry = Remove from the register
remove-title = Remove { $name } from the register?
remove-unseen = No longer in the list
remove-unseen-words = Nor in exports or later updates
remove-erased = What was shared with this group is erased
remove-erased-words = Please delete exported files yourself
remove-again = They can join again
remove-again-words = By scanning and consenting anew; to prevent it, replace the code
remove-confirm = Remove now
remove-not = Keep, go back

code-alt = The code to join { $organisation }
code-call = Scan to join the health register of { $organisation }
code-scanners = With WeChat or the camera
code-save = Save the picture
code-save-hint = In WeChat: press the code long, then save or forward it.
code-poster = Print a poster
code-svg = Vector SVG
code-link = Or send the link
code-leaked = Has the code got out?
code-leaked-words = A new code ends the old one at once. { $count ->
    [one] The 1 member is
   *[other] The { $count } members are
} not affected; posters must be printed again.
code-replace = Replace the code
code-warning-missing = This site has no address yet, so the code leads nowhere. The operator sets server.public_url.
code-warning-loopback = Only this machine can open the address in the code; phones cannot. Do not print it.
code-warning-private = Only the internal network can open the address in the code; phones outside cannot. Do not print it.
code-warning-plain-http = The address in the code is not encrypted (http), and WeChat blocks it. Do not print it. The operator sets up https.
replace-title = Replace the code?
replace-old = The old code ends at once
replace-old-words = Who is half-way through scans the new one too
replace-members = { $count ->
    [one] 1 member is
   *[other] { $count } members are
} not affected
replace-members-words = They have nothing to do
replace-posters = Posters and links must go out again
replace-posters-words = Those on the wall or forwarded no longer work
replace-confirm = Replace now
replace-not = Keep the code, go back
poster-how = Use your browser’s print, on A4. WeChat cannot print: open the page in a browser.
poster-kind = Health register
poster-call = Scan to read what is asked. Joining is your choice.
poster-second-lang = zh-CN
poster-call-second = 微信或相机扫码，自愿加入
poster-seen = They see
poster-seen-both = { $must }; optional: { $may }
poster-seen-may = { $may }, all optional
poster-times = Updated
poster-times-words = { $times }; nothing to report yourself
poster-leave = To leave
poster-leave-words = By the link you get on joining, or “My consents” on this site. At any time, no approval, your information is erased at once
poster-leave-second = 随时退出，不用批准，信息即刻删除。
poster-check = ⟦After scanning, check:⟧ the address begins with ⟦{ $host }⟧ and the group is “{ $organisation }”.
poster-check-administrator = It is run by “{ $name } (identity verified)”.
poster-check-free = Joining costs nothing, needs no bank card, and nobody may ask for your code.
poster-printed = Printed on { $day }, code ends in { $tail }; void once the code is replaced

export-title = Export the list
export-lead = { $count ->
    [one] 1 member
   *[other] { $count } members
}, the same as the list; ID and phone numbers stay masked.
export-purpose-hint = It stands in the file, and members see it
export-warning = Once the file has left this site, a member who leaves cannot erase it. Delete it after use.
export-wechat = WeChat cannot download files. Open the page in a browser, or export on a computer.
export-code-title = Confirm that it is you
export-content = { $count ->
    [one] 1 member
   *[other] { $count } members
}, { $format }
export-button = Export the file
export-not = Export nothing, back to the list
format-xlsx = Excel workbook (.xlsx)
format-csv = CSV text (.csv)

settings-saved = Saved.
settings-fixed = Somebody has joined; name and purpose cannot change.
settings-items-hint = You see new items only after members consent to them.
settings-save = Save
settings-delete = Delete the register
settings-delete-words = Delete it when it is no longer needed; members’ information goes with it.
delete-title = Delete the register of “{ $organisation }”?
delete-members = { $count ->
    [one] The consent of 1 member ends
   *[other] The consents of { $count } members end
}
delete-members-words = What they shared with this register is erased and cannot come back
delete-code = The code ends
delete-code-words = Posters and links no longer work
delete-files-words = Please delete them yourself
delete-organisation = Type the name of the group
delete-organisation-hint = Exactly: { $organisation }
delete-confirm = Delete now
delete-not = Keep it, go back
deleted-title = Deleted
deleted-register = the register
deleted-registration-code = its code
deleted-requirements = its requirements
deleted-members = all members’ consents
deleted-pending-joins = joins that waited
deleted-reports = reports
deleted-administrators = the list of administrators and open invitations
deleted-own-profile = your identity
deleted-kept-audit-events-required-by-law = The log of events: at least 3 years by law
deleted-kept-code-hash-says-replaced-180-days = A fingerprint of the code: for 180 days, who scans it reads that it no longer works
deleted-kept-backups-up-to-35-days = Backups: gone after 35 days at most
deleted-kept-exported-files-cannot-be-recalled = Exported files: out of reach; please delete them
deleted-kept-own-profile-needed-by-others = Your identity: you have other consents, registers or sessions
