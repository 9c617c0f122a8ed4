# Joining a register
join-title = { $organisation } invites you to its health register
join-items = What they will see
join-sharing = How much they will see
sharing-verdict = Only whether I meet the requirements
sharing-verdict-hint = They see only: meets, or does not meet
sharing-details = The details
sharing-details-hint = They see each item ticked above
join-whom = Who joins
join-whom-self = Myself
join-whom-self-hint = No need to type who you are again; just check it
join-whom-other = A child or an elderly person
join-whom-other-hint = Enter their name and document; the phone registered for them at the source must be yours
join-times = Updated { $count ->
    [one] once a day
   *[other] { $count } times a day
}
join-times-words = { $times }; nothing for you to do
join-looked = You can see who looked
join-looked-words = ID and phone numbers stay masked
join-leave = Leave at any time
join-leave-words = No approval. Your information is erased at once
join-consent = Consent
join-accept = I have read the statement above ({ $version }) and choose to share this information
join-next = Next: your identity
join-rather-not = Rather not? Just close this page. Nothing is kept.
join-identity-title = Your identity
join-identity-lead = Used only to match with the health source. Enter the name and number registered there.
join-identity-lead-other = Enter the name and document of the child or elderly person, and your own phone. Beside its owner, a number may verify up to four people.
join-for-others = For an elderly person? Enter their name and document, and the phone registered for them at the source. For a child under 14, a guardian signs in first.
join-guardian-link = Sign in as a guardian
department-none = None

guardian-title = A guardian joins for the child
guardian-1 = For a child under 14 a guardian joins, and the guardian sees and ends the consent.
guardian-2 = The guardian signs in first, comes back to this register and chooses “A child or an elderly person”.
guardian-3 = The phone registered for the child at the source must be the guardian’s; that is how we know. What you just entered was not kept.
guardian-link = Sign in as a guardian
guardian-signed-in = Whoever is signed in now is under 18 or not the child’s guardian. Please sign in as the guardian.

joined-title = You joined the register of { $organisation }
joined-seen = What the group sees now
joined-receipt = Receipt
joined-link = Link to leave
joined-link-words = Open it and confirm once to leave, without a code. It is shown only now: take a picture or copy it, and give it to nobody.
joined-close = You can close this page. To leave, use the link above, or open “My consents” from the start page.

pending-title-matched = The source is back
pending-kept = What you entered is kept.
pending-then = When the source is back we match it and send a message; then come back to this page for the last step.
pending-matched = It matched. Get a code to finish joining.
pending-until = It is kept until { $time } at the latest. If it is not finished by then, it is erased.
pending-still = We just tried; the source still cannot be reached. What you entered is kept.
pending-state-waiting = Waiting to be matched
pending-state-matched = Matched
pending-try = Try again now
pending-delete = Stop waiting and erase what I entered
pending-deleted-title = Erased
pending-deleted = What you entered was erased. You joined no register.

report-link = Report this register
report-title = Report this register
report-lead = The operator reads your reason. The group sees neither it nor who reported.
report-send = Send the report
report-done-title = Report received
report-done = The operator will check it and put the register on hold if need be.
