"""Talks to a Graph API with a client library that other people wrote: whatsapp-cloud-api-client for Python.

Reads GRAPH_BASE_URL, GRAPH_TOKEN, GRAPH_PHONE_NUMBER_ID, GRAPH_RECIPIENT, and if set GRAPH_VERSION (v23.0),
GRAPH_TEMPLATE (order_ready) and GRAPH_TEMPLATE_LANGUAGE (en_US); the template takes two body parameters.

Prints one JSON line for each case with what the library parsed. Exits 1 unless both messages were given an id and
both wrong requests were refused with an error code that the library could read.
"""

import json
import os
import sys
from importlib.metadata import version

from whatsapp_cloud_api import WhatsAppAPIError, WhatsAppClient

CLIENT = f"whatsapp-cloud-api-client {version('whatsapp-cloud-api-client')}"
# The library's HTTP client would otherwise look for a proxy, also for a server on this machine.
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost,::1")


def client(phone_number_id):
    return WhatsAppClient(
        os.environ["GRAPH_TOKEN"],
        phone_number_id,
        base_url=os.environ["GRAPH_BASE_URL"],
        api_version=os.environ.get("GRAPH_VERSION", "v23.0"),
        max_retries=0,
    )


def text(phone_number_id, to):
    with client(phone_number_id) as graph:
        return graph.send_text(to=to, body="Your order 1042 is ready ✅")


def template(phone_number_id, to):
    values = [{"type": "text", "text": value} for value in ("Ada", "1042")]
    with client(phone_number_id) as graph:
        return graph.send_template(
            to=to,
            name=os.environ.get("GRAPH_TEMPLATE", "order_ready"),
            language_code=os.environ.get("GRAPH_TEMPLATE_LANGUAGE", "en_US"),
            components=[{"type": "body", "parameters": values}],
        )


def run(case, send, phone_number_id, to, must_be_refused):
    line = {"client": CLIENT, "language": "python", "case": case}
    try:
        answer = send(phone_number_id, to)
        line["message_id"] = answer.messages[0].id if answer.messages else None
        line["wa_id"] = answer.contacts[0].wa_id if answer.contacts else None
        line["ok"] = not must_be_refused and bool(line["message_id"])
    except WhatsAppAPIError as error:
        line.update(
            status=error.status_code,
            code=error.code,
            subcode=error.error_subcode,
            type=error.error_type,
            fbtrace_id=error.fbtrace_id,
            message=error.message,
        )
        line["ok"] = must_be_refused and isinstance(error.code, int)
    print(json.dumps(line), flush=True)
    return line["ok"]


def main():
    sender, to = os.environ["GRAPH_PHONE_NUMBER_ID"], os.environ["GRAPH_RECIPIENT"]
    good = [
        run("text", text, sender, to, False),
        run("template", template, sender, to, False),
        run("unknown_sender", text, "1", to, True),
        run("invalid_recipient", text, sender, "not-a-number", True),
    ]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
