# Consent statement, privacy, help, accessibility
consent-text =
    You allow the register of “{ $organisation }” to see the health information listed on this page that you choose, for the purpose stated here and nothing else. The group’s name is the administrator’s own word; unless this page says that the operator has checked it, nobody has. The administrator’s own identity was verified.

    Health information and identity documents are sensitive personal information, and need your separate consent. The group needs it to tell whether you meet the requirements on this page, and may not see it without your consent. With your consent, what the group decides may depend on it, for example whether you may enter. You may refuse, or leave out optional items; Tuantibu tells the group nothing because of that.

    Health information comes from the authority’s source. It is read once when you join, and then every day at { $times }; you have nothing to do. Nobody can change it by hand.

    Who sees it: the administrators of this register. They see your name and department; of ID and phone numbers only the first and last few characters. To reach you they can show one phone number at a time, and each time is recorded. With “The details” they see every item you ticked; with “Only whether I meet the requirements” they see the verdict alone. They can export the same, stating a purpose. You can see every view, search, phone shown and export in “My consents”.

    If the requirements change or items are added, the group sees nothing new without your consent anew. Its name and purpose cannot change once somebody has joined.

    How long: until you leave, are removed, or the register ends or is deleted; it also ends when nobody has opened it for 180 days. What is held only for this register is erased at once then; what your other registers need is erased when you leave the last of them.

    How to leave: when you join you get a link; open it and confirm once to leave, without a code. Or sign in and leave in “My consents”. Nobody has to approve, and it holds at once. Files that the group exported cannot be recalled; backups are gone after 35 days at most; the log of events is kept for at least 3 years by law, without your name and document number.

    For children under 14, a parent or another guardian signs in and consents for the child, and sees and ends the consent.

    You can see, change or take away your information at any time, and report a register. Questions go to the group’s contact on this page; those about this service go to the operator, see “Privacy” at the bottom of the page.

privacy-title = Privacy
privacy-lead = What personal information Tuantibu processes, why, who sees it, how long, and what you can do.
privacy-1-heading = What is processed
privacy-1 =
    Identity: name, document type and number, phone; used to match with the health source and make sure that it is you.

    Health information: only the items that you share with a register, from the authority’s source.

    Records: who viewed, exported, joined or left, when, and from which network address. They hold no name, document number or health information.
privacy-2-heading = Who sees it
privacy-2 =
    The administrators of the registers that you share with, as you chose: the details, or the verdict alone. Of ID and phone numbers they see the first and last few characters.

    Nobody else. Pages hold nothing of third parties, no analytics, no advertising. Nothing is sent abroad.
privacy-3-heading = How long
privacy-3 =
    Who has neither joined nor made a register is erased on signing out. Members’ information is erased at once when the consent ends, but for what is needed elsewhere.

    A join entered while the source is down is kept for 24 hours at most. Backups are kept for 35 days at most. The log of events is kept for at least 3 years by law; the network addresses in it are sealed, and erased after { $days } days.
privacy-4-heading = How it is protected
privacy-4 =
    Personal information is encrypted in the database, with the key kept elsewhere. Codes are never stored as such and work once. To export, an administrator confirms anew and states a purpose. Of an administrator's passkey only its name and a public key are kept, until it is removed or they administer no register any more; fingers and faces never leave the device.
privacy-5-heading = What you can do
privacy-5 =
    In “My consents”: see who looked, change a consent, leave, take all your data. Nobody has to approve that you leave.

    Have wrong health information corrected at the authority; the next update brings it here.

    If something is wrong with a register, report it; the operator will check and put it on hold if need be.
privacy-6-heading = What the browser keeps
privacy-6 =
    Only necessary cookies: for signing in, a verification under way, a join that waits, the receipt of a join, the language. Those for signing in are gone when you close the browser or sign out.
children-title = Information on children under 14
children-lead = What concerns a child is sensitive. This page is for parents and other guardians, and goes with the privacy page.
children-1-heading = Who consents
children-1 =
    A child under 14 cannot join alone. A guardian signs in, reads who wants to see what and for how long, and consents for the child item by item. The age is reckoned by the date of birth of the document, on the day.

    You may decline, or choose that only the verdict is shown. The school or group learns nothing of it from tuantibu.
children-2-heading = What is processed
children-2 =
    The child's name, type and number of the document, the guardian's phone, and the health information that you ticked. Nothing else, and nothing for profiles, recommendations or advertisements.
children-3-heading = Who sees it, and for how long
children-3 =
    Only the administrators of the register that you agreed to; of the document only the beginning and the end are shown. It is erased at once when you leave, the child is removed, or the register ends; backups end after 35 days.
children-4-heading = What a guardian can do
children-4 =
    Under "My consents" the child has a row of its own: see who looked, change the consent, download everything, leave. Leaving needs nobody's approval.

    Where health information is wrong, have the authority correct it; it changes here with the next refresh.
children-5-heading = Whom to ask
children-5 =
    About a register, the group by the contact on its page; about this service, or to complain or report, the operator.
about-operator = Operator

help-title = Help
help-lead = The usual things, step by step.
help-1-heading = How to join
help-1 =
    Scan the group’s code with WeChat or the camera, see who wants to see what, then decide. Consent, enter name, document and phone, type the code that you receive, and you have joined.
help-2-heading = No match
help-2 =
    Name, document number and phone must be those at the health source. After a change of number or name, have the record updated first. For privacy the page does not say which of them differs.
help-3-heading = No code arrives
help-3 =
    After 60 seconds you can send another; the last two both work. A number gets at most 5 a day, and 3 more for signing in just to leave. Where the page says “Message not sent”, it did not count, and you can try again at once.
help-4-heading = How to leave
help-4 =
    Open the link that you got on joining and confirm once. Or open “My consents” from the start page and press “Leave”. Nobody has to approve.
help-5-heading = Joining for a child or an elderly person
help-5 =
    For a child under 14 a guardian signs in first, scans the code and chooses “A child or an elderly person”. The phone registered for the child at the source must be the guardian’s. Beside its owner, a number may verify up to four people.
help-6-heading = How a group begins
help-6 =
    Press “Create or open a register” on the start page, verify who you are, enter the group, the purpose and the items, and you get the code. The less you ask for, the more people join.

accessibility-title = Accessibility
accessibility-lead = Tuantibu is meant for everybody and made to WCAG 2.2 AA.
accessibility-1-heading = What works
accessibility-1 =
    Everything works without scripts and with the keyboard alone, and every button and link is large enough. Every state is told by a word, a shape and a colour.

    Text can be enlarged to 200%, and a narrow phone needs no sideways scrolling. Dark and light follow your device.
accessibility-2-heading = What is missing
accessibility-2 =
    The registration code is a picture; a link that does the same stands beside it. Words that groups type are their own.
accessibility-3-heading = If something is hard
accessibility-3 =
    Please tell the operator, or ask the group’s administrator by the contact given. The link to leave needs no code and works with screen readers.
