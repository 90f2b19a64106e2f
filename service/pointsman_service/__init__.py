"""The service: answers predictions with the version its channel names, and follows the channel.

Started as `python -m pointsman_service`, configured by environment variables (`settings`).
"""
