# Start page, sign-in, codes
home-title = Group health registers: one code to join, free to leave
home-lead = A group gets a code; members scan it and consent of their own will. Health information comes from the authority’s data: no screenshots, no reporting.
home-pending = A join of yours waits for the source.
home-pending-link = See it
home-member = I am a member
home-member-words = Got a code from your group? Scan it with WeChat or the camera. There is nothing to do here.
home-member-button = See my consents, leave
home-administrator = I run a group
home-administrator-words = Verify who you are, then create a register for your group. If you have one, enter in the same way.
home-administrator-button = Create or open a register
home-phone = Open it on a phone
home-phone-words = On the same network, a phone that scans this code opens this demo.
home-phone-alt = QR code that opens { $address }
home-willing = Your choice.
home-willing-words = See who wants to see what, then decide.
home-looked = You can see who looked.
home-looked-words = Every view and export is recorded.
home-leave = Leave at any time.
home-leave-words = No approval; leaving erases.

sign-in-title-mine = First, confirm who you are
sign-in-lead-mine = Used only to match with the health source. Enter the name and number registered there.
sign-in-title-registers = First, confirm who you are
sign-in-lead-registers = Administrators use their real name. Members see “Identity verified” and a masked name before they join.
sign-in-title-invitation = First, confirm who you are
sign-in-lead-invitation = Administrators use their real name. Then you come back to the invitation, and decide.
sign-in-title-leave = Sign in to leave
sign-in-lead-leave = You can only see your consents and leave. When today’s codes are used up, three more are kept for leaving.
sign-in-to-leave = Only want to leave a register?
sign-in-to-leave-link = Sign in just to leave
sign-in-has-code = Enter the code I received

verify-title = Enter the SMS code
verify-sent = 6 digits were sent to ⟦{ $phone }⟧, valid for 5 minutes.
verify-resent = Sent again. The last two codes both work.
verify-expired = The last code has run out. Please send another.
verify-join = Join
verify-sign-in = Sign in
verify-leave = Sign in
verify-missing = No message?
verify-missing-words = It may take a moment. After 60 seconds you can send another; the last two codes both work.
verify-missing-wait = { $seconds } seconds to wait now.
verify-secret = Give the code to nobody; administrators do not need it.
verify-tries = { $tries ->
    [one] 1 try left.
   *[other] { $tries } tries left.
}
verify-back = Wrong number? Go back

demo-title = Demo
demo-note-administers = may administer
demo-note-green = green, 1 day
demo-note-child = a child, joined by 王小明
demo-note-expires = 3 days, expires tomorrow
demo-note-positive = positive
demo-note-untested = never tested
demo-note-none = {""}
demo-lead = People and health information are invented, and messages appear on this page only.
demo-people = People to try
demo-people-printed = A few people to try were printed in the terminal when the demo started.
demo-sms = Messages sent
demo-sms-none = No message has been sent yet.
demo-again = Look again
