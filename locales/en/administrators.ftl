# Administrators: who they are, inviting, handing over, removing
role-owner = owner
role-administrator = co-administrator
departments-all = all departments
administrator-since = in charge since { $day }
administrators-count = { $count ->
    [one] 1 administrator
   *[other] { $count } administrators
}
administrator-self = you
administrator-removed = Removed; they no longer see this register.
invitations-open = Open invitations
invitation-becomes = Invitation to become { $role }
invitation-withdraw = Withdraw
invitation-withdrawn = Withdrawn; that link no longer works.

invite-title = Invite an administrator
invite-lead = First confirm that it is you. Then you get a link, which you send on yourself.
invite-may = A co-administrator sees, removes and exports
invite-may-words = But changes no settings or code, deletes nothing, and invites nobody
invite-verified = They sign in under their real name
invite-verified-words = They are matched with the source and confirm by text message before they accept
invite-once = The link works once, within 72 hours
invite-once-words = Until it is used you can withdraw it
invite-departments = Limit them to departments
invite-departments-hint = If you choose none, they see all of them
invite-not = Invite nobody, go back
invite-code-title = Confirm that it is you
invite-make = Make the link
invited-title = Send them the link
invited-lead = The link is shown this once. It cannot be seen again after you leave this page.
invited-qr = The link of the invitation as a QR code
invited-link = The link
invited-warning = Whoever has the link can accept it. Send it to that person alone, not to a group chat.
invited-done = I have sent it, go back

hand-over-title = Hand the register over
hand-over-entry-words = For when somebody else takes charge. Once they accept, it is theirs, and you stay as a co-administrator.
hand-over-lead = Put somebody else in charge of the register of “{ $organisation }”.
hand-over-theirs = Who accepts becomes the owner
hand-over-theirs-words = Settings, code, administrators and deletion are theirs
hand-over-yours = You stay as a co-administrator
hand-over-yours-words = You can resign later. Until they accept, nothing changes
hand-over-members = Members see that it changed hands
hand-over-members-words = They see the new owner’s masked name and the date; the position is theirs to fill in anew
hand-over-once-words = A new link replaces the one before it; until it is used you can withdraw it
hand-over-not = Hand nothing over, go back

invitation-title = You are invited to run a register
invitation-title-owner = You are asked to take a register over
invitation-lead = An invitation from { $name }. Please check it, then decide.
invitation-logged = What you look at is recorded
invitation-logged-words = Members see every view, search, revealed number and export
invitation-named = Other administrators see your name
invitation-named-words = Members see it masked
invitation-accept = Accept as { $name }
invitation-other = Not you? Sign out first, then open the link again.
invitation-sign-in = Sign in to accept
invitation-ignore = If you do not want to, just close this page.
accepted-title = You are a co-administrator now
accepted-title-owner = You are the owner now
accepted-check = Please check the contact that members see, and fill in your position:
accepted-others = You are signed in in { $count ->
    [one] 1 other browser
   *[other] { $count } other browsers
}
accepted-others-words = You can see members’ information now. If somebody else uses those browsers, end their sessions.

remove-administrator-entry = Remove
remove-administrator-title = Remove the administrator { $name }?
remove-administrator-unseen = They no longer see this register
remove-administrator-unseen-words = At once, also where they are signed in
remove-administrator-erased = Their identity is erased if nothing else needs it
remove-administrator-erased-words = It stays while they have other consents or registers
remove-administrator-files-words = Please ask them to delete what they exported
remove-administrator-confirm = Remove now
remove-administrator-not = Change nothing, go back
resign-entry = Resign
resign-title = Resign from the register of “{ $organisation }”?
resign-unseen = You no longer see this register
resign-unseen-words = At once; to come back, the owner invites you again
resign-erased = Your identity is erased if nothing else needs it
resign-erased-words = It stays while you have other consents or registers
resign-files-words = Please delete what you exported yourself
resign-confirm = Resign now
