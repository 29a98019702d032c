config = {
    "type": "noop",
    "name": "ManagerApproves",
    "description": "Somebody clicks a link in a mail",
    "virtualSubscribes": ["approval.asked"],
    "virtualEmits": [{"topic": "/approved", "label": "Clicked"}],
    "flows": ["approvals"],
}
