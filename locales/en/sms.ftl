# Texts: fixed words and the code, naming what it is for; nothing that anybody typed.
sms-sign-in = [tuantibu] Code { $code } to sign in, valid for 5 minutes. Tell it to nobody.
sms-leave = [tuantibu] Code { $code } to sign in and leave a register, valid for 5 minutes. Tell it to nobody.
sms-join = [tuantibu] Code { $code } to join a register and share health information, valid for 5 minutes. Tell it to nobody.
sms-confirm = [tuantibu] Code { $code } to confirm an export, a deletion or a change of administrators, valid for 5 minutes. Tell it to nobody.
sms-passkey = [tuantibu] A passkey was added to your administrator account and works in 24 hours. If it was not you, sign in with your other passkey and remove it now, or call the operator.
sms-invitation = [tuantibu] The join you began can go on now: open the page in the same browser and ask for a code. If it was not you, ignore this.
