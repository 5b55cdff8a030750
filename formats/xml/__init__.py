"""The codec of XML layouts, both ways, in constant memory."""
