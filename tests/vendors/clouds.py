#!/usr/bin/env python3
"""What the clouds' own packages make of a request: the second opinion on our signatures.

    clouds.py sign aliyun|tencent    the Authorization header for the request on standard input
    clouds.py send aliyun|tencent    sends the text on standard input to a loopback server

Standard input is one JSON object; "account" and "secret" are of no real account. Nothing is sent but to
the loopback address that "endpoint" names.
"""

import datetime
import json
import sys
from types import SimpleNamespace


def aliyun_sign(asked):
    from alibabacloud_tea_openapi.utils import Utils

    request = SimpleNamespace(
        method=asked["method"], pathname=asked["path"], query=asked["query"], headers=asked["headers"]
    )
    payload = Utils.hash(asked["body"].encode(), "ACS3-HMAC-SHA256").hex()
    return Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", payload, asked["account"], asked["secret"]
    )


def aliyun_send(asked):
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_dysmsapi20170525.models import SendSmsRequest
    from alibabacloud_tea_openapi.models import Config

    config = Config(
        access_key_id=asked["account"], access_key_secret=asked["secret"],
        endpoint=asked["endpoint"], protocol="HTTP",
    )
    text = asked["text"]
    request = SendSmsRequest(
        phone_numbers=text["PhoneNumbers"], sign_name=text["SignName"], out_id=text["OutId"],
        template_code=text["TemplateCode"], template_param=text["TemplateParam"],
    )
    return Client(config).send_sms(request).body.code


def tencent_client(asked):
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111.sms_client import SmsClient

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=asked["endpoint"]))
    return SmsClient(Credential(asked["account"], asked["secret"]), "ap-guangzhou", profile)


def tencent_sign(asked):
    at = datetime.datetime.fromtimestamp(int(asked["headers"]["x-tc-timestamp"]), datetime.timezone.utc)
    date = at.strftime("%Y-%m-%d")
    request = SimpleNamespace(
        method=asked["method"], uri=asked["path"], data=asked["body"],
        header={
            "Content-Type": asked["headers"]["content-type"],
            "Host": asked["headers"]["host"],
            "X-TC-Timestamp": asked["headers"]["x-tc-timestamp"],
        },
    )
    client = tencent_client(asked)
    signature = client._get_tc3_signature({}, request, date, "sms", asked["secret"])
    return (
        f"TC3-HMAC-SHA256 Credential={asked['account']}/{date}/sms/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={signature}"
    )


def tencent_send(asked):
    from tencentcloud.sms.v20210111.models import SendSmsRequest

    request = SendSmsRequest()
    request.from_json_string(json.dumps(asked["text"]))
    return tencent_client(asked).SendSms(request).SendStatusSet[0].Code


if __name__ == "__main__":
    what = globals()[f"{sys.argv[2]}_{sys.argv[1]}"]
    print(what(json.load(sys.stdin)))
