# Fields of forms, and what is wrong with them
field-name = Name
field-name-hint = As on your document, with every dot and space
field-document-type = Document
field-document-number = Document number
field-phone = Mobile number
field-phone-hint = The code goes to this number
field-birth-date = Date of birth
field-birth-date-hint = For passports and permits; resident cards hold it already
field-department = Department
field-code = Code
field-items = Items
field-sharing = How much they will see
field-accepted = Consent
field-whom = Who joins
field-organisation = Name of the group
field-organisation-hint = The first thing members see; write it in full
field-street-code = Street
field-street-code-hint = Choose level by level; no detailed address
field-contact = Contact
field-contact-hint = An office phone or e-mail that members see; not a private number
field-administrator-title = Your position
field-administrator-title-hint = For example: school nurse, HR officer
field-label = Name
field-label-hint = So that you know which device it is, like “My phone”
field-purpose = Purpose
field-purpose-hint = Why you need it, in one sentence
field-departments = Departments
field-departments-hint = One a line; members choose from them
field-ends-on = End date
field-ends-on-hint = On this day all consents end by themselves
field-requirements = Requirements
field-reason = Reason
field-reason-hint = For example: a false name, too much is asked. Write no ID or phone numbers
field-format = File format

document-resident-id = Resident ID card
document-residence-permit = Residence permit for Hong Kong, Macao and Taiwan residents
document-foreign-resident-id = Foreign permanent resident ID card
document-foreign-permanent-resident = Foreign permanent residence permit (older)
document-hk-macao-permit = Mainland travel permit for Hong Kong and Macao residents
document-taiwan-permit = Mainland travel permit for Taiwan residents
document-passport = Passport

problems-count = { $count ->
    [one] 1 thing to correct
   *[other] { $count } things to correct
}
problems-one = { $label }: { $what }

error-required = Please fill this in
error-other = Something is wrong here; please check
error-too-long = Too long; at most { $max } characters
error-hidden-characters = Character { $position } cannot be seen; please type it again
error-unknown-value = Please choose one of those listed
error-name-required = Please enter the name
error-document-type-required = Please choose the document
error-document-type-unknown-type = Please choose the document
error-document-number-required = Please enter the document number
error-document-number-too-long = This number is too long; compare with your card
error-document-number-length = { $document }: { $expected } characters are needed, this has { $actual }
error-document-number-characters = There is a character that does not belong there
error-document-number-form = This is no number of this kind: { $document }. Check document and number
error-document-number-area = The area at the beginning does not exist; compare with your card
error-document-number-birth-date = The date of birth inside does not exist; compare with your card
error-document-number-birth-date-future = The date of birth inside is still to come; compare with your card
error-document-number-check-digit = One character is wrong; compare with your card
error-phone-required = Please enter the mobile number
error-phone-length = A mobile number has 11 digits
error-phone-characters = There is a character that does not belong in a number
error-phone-not-mobile = Please enter a mobile number; landlines receive no code
error-phone-country = Numbers of this country are not accepted here
error-phone-not-own-phone = When you join for somebody, enter your own registered number
error-birth-date-birth-date = Please write it like 2015-06-01
error-birth-date-birth-date-future = This date is still to come
error-code-required = Please enter the code
error-code-six-digits = The code has 6 digits
error-wrong-code = Wrong code. { $tries ->
    [one] 1 try left
   *[other] { $tries } tries left
}
error-accepted-required = Please tick the consent box
error-accepted-outdated = The statement has changed; please read the new one and tick again
error-items-required = Please choose at least one item
error-items-required-item = Required items cannot be left out
error-items-unknown-item = The items have changed; please choose again
error-sharing-required = Please choose how much to share
error-department-unknown-value = Please choose one of the departments
error-organisation-required = Please enter the name of the group
error-organisation-fixed = Somebody has joined; the name cannot change any more
error-organisation-different = This is not the name of the register’s group
error-purpose-required = Please enter the purpose
error-purpose-fixed = Somebody has joined; the purpose cannot change any more
error-contact-required = Please enter an office phone or e-mail
error-contact-form = Please enter a phone number or an e-mail address
error-street-code-required = Please choose down to the street
error-street-code-unknown-street = Please choose down to the street
error-departments-too-many = At most { $max } departments
error-departments-duplicate = A department stands twice
error-departments-too-long = A department has at most { $max } characters
error-ends-on-date = Please write it like 2027-01-20
error-ends-on-past = This day is over
error-ends-on-too-far = At most 5 years ahead
error-reason-required = Please give the reason
error-format-required = Please choose the format
