-- Which gateway took a text, and what it calls it: by that it tells later whether the text arrived.
alter table sms_messages add column gateway {text};
alter table sms_messages add column gateway_message {text};
create index sms_by_gateway_message on sms_messages (gateway_message);
