"""States of payments, files and batches, in Chinese and English."""

from __future__ import annotations

STATE_LABELS: dict[str, tuple[str, str]] = {
    "accepted": ("待发", "accepted"),
    "held": ("待定", "held"),
    "set_aside": ("退回核实", "set aside"),
    "withdrawn": ("撤回", "withdrawn"),
    "dispatched": ("已入文件", "dispatched"),
    "credited": ("已入账", "credited"),
    "discrepant": ("账实不符", "discrepant"),
    "failed": ("发放失败", "failed"),
    "unknown": ("结果待查", "unknown"),
    "returned": ("退汇", "returned"),
    # Files and batches.
    "planned": ("已编号", "planned"),
    "sealed": ("已封装", "sealed"),
    "uploading": ("上传中", "uploading"),
    "releasing": ("发布中", "releasing"),
    "uncertain": ("待查证", "uncertain"),
    "sent": ("已发出", "sent"),
    "acknowledged": ("已受理", "acknowledged"),
    "settled": ("已结清", "settled"),
    "rejected": ("被拒收", "rejected"),
    "voided": ("已作废", "voided"),
    "received": ("已收到", "received"),
    "verified": ("已验签", "verified"),
    "refused": ("不予采信", "refused"),
    "submitted": ("待放行", "submitted"),
    "released": ("已放行", "released"),
}
