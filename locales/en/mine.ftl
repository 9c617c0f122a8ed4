# My consents, leaving, my data
me-title = My consents
me-lead = { $name }, you have given { $count ->
    [one] 1 consent.
   *[other] { $count } consents.
}
me-erased = Nothing about you is held here any more. Sign out and that is all.
me-leave-only = This time you can only see your consents and leave.
me-sign-in = Sign in fully
me-none = You have joined no register yet. Ask your group for its code and scan it.
me-for = I joined for { $name }
me-seen = What they see
me-asks-more = The group asks for other items, or the statement has changed. Without your consent they see nothing new.
me-administrator-changed = This register changed hands after you joined; { $name } runs it now. If you do not know them, you can leave or report it.
me-change = Change consent
me-leave = Leave
me-log = Who looked at my information
me-log-none = Nobody has looked yet
me-log-all = See all entries
me-more = More
me-registers = Registers I run ({ $count })
access-former = A former administrator
access-viewed = viewed the list
access-searched = searched by name
access-revealed-phone = looked at a phone number
access-exported = exported the list
access-exported-for = exported the list for “{ $purpose }”
access-by-title = { $title } { $name }
access-fields = Could see: { $fields }
looked-name = name
looked-document-masked = document number (masked)
looked-phone-masked = phone (masked)
looked-phone = the whole phone number
looked-department = department
looked-verdict = whether the requirements are met
access-log-title = Who looked at my information
access-log-lead = Every view, search and export by an administrator since you joined.
sessions-title = Where I am signed in
sessions-lead = The browsers in which you are signed in. End those you do not know.
session-began = Signed in
session-seen = Last used
session-ends = Ends by
session-current = This browser
sessions-end-others = End the other sessions
sessions-ended = The other sessions have ended; only this browser is signed in now.
session-end = End this session
data-title = All my data
data-lead = Everything held here about you, at { $time }.
data-profile = Identity
data-administers = Registers I run
data-rest = More
data-rest-words = Browsers signed in: { $sessions }. Entries of who looked: { $looks }.
data-correct = Something is wrong? Have health information corrected at the authority; the next update brings it here. After a change of name, document or phone, sign in again.
data-json = For a file that machines read, the interface /api/v1/me/data gives the same.

consent-title = The consent statement in full
consent-change-title = Change the consent to { $organisation }
consent-change-lead = What you take away is erased at once; what you add can be seen from now on.
consent-change = Confirm the change
consent-change-not = Change nothing, go back

leave-title = Leave “{ $organisation }”?
leave-lead = Nobody has to approve. It holds at once.
leave-other = This is the consent you gave for { $name }.
leave-unseen = The group no longer sees you
leave-unseen-words = Not in the list, exports or later updates
leave-erased = What was shared with this group is erased
leave-erased-words = What other groups still use stays until you leave them too
leave-files = Exported files cannot be recalled
leave-files-words = The group has not exported the list so far
leave-exported = Exported { $count ->
    [one] once
   *[other] { $count } times
}, the last time { $time }
leave-again = You can come back
leave-again-words = Just scan the code again
leave-confirm = Leave now
leave-not = Stay, go back
left-title = You have left
left-receipt = Receipt
left-erased = Erased
left-kept = Kept
left-keep = If you want to keep this receipt, take a picture now. It cannot be seen again.
left-signed = Signed receipt
left-signed-words = Copy the whole line and keep it. By it the operator can verify that this receipt is ours and unchanged.
left-back = Back to my consents
erased-authorization = the consent to this group
erased-consent = the record of consent
erased-leave-link = the link to leave
erased-profile = your identity
kept-profile-other-authorizations = Identity: you share with other groups
kept-profile-guardian = Identity: you gave consent for others
kept-profile-administrator-role = Identity: you run a register
kept-health-items-other-authorizations = Health information that other groups still use
kept-sms-number-seven-days = The sealed number of the text messages sent to you: erased after 7 days
kept-audit-log-law = The log of events, without your name and document: at least 3 years by law
kept-exported-files-out-of-reach = Files that the group exported: out of reach
kept-backups-backups-35-days = Backups: gone after 35 days at most
