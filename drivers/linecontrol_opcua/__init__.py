"""OPC UA driver of linecontrol: subscriptions with source times and status codes."""

from linecontrol_opcua.driver import OpcuaDriver

__all__ = ["OpcuaDriver"]
