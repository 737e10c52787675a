"""Small Sentinel-2 products in SAFE format, written by the tests: each level and baseline from the same reflectance."""

import zipfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

CRS = "EPSG:32632"
CORNER = (600000.0, 5000000.0)
SIZE = 1200.0  # m on a side
BANDS = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B8A": 20, "B11": 20, "B12": 20}
IDS = {"B02": 1, "B03": 2, "B04": 3, "B08": 7, "B8A": 8, "B11": 11, "B12": 12}


def reflectance(band, size=None):
    """Reflectance of a band at its own pixel size, multiples of 1e-4, some below 0 and one pixel without data (NaN)."""
    n = int(SIZE / (size or BANDS[band]))
    rng = np.random.default_rng(IDS[band])
    values = np.round(rng.uniform(-0.02, 0.6, (n, n)), 4)
    values[0, 0] = np.nan
    return values


def clouds():
    """True in the cloud, on the 60 m grid of the masks: a block of pixels that is whole on every band's grid."""
    mask = np.zeros((20, 20), bool)
    mask[4:8, 10:14] = True
    return mask


def write_jp2(path, array, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = array if array.ndim == 3 else array[None]
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=array.shape[2], height=array.shape[1], count=len(array),
        dtype=array.dtype, crs=CRS, transform=from_origin(*CORNER, size, size), QUALITY=100,
        REVERSIBLE="YES", YCBCR420="NO",
    ) as target:  # fmt: skip
        target.write(array)


def write_safe(folder, level, baseline, day="20230428", as_zip=False):
    """Write a SAFE product of `level` ("L2A", "L1C") and processing `baseline` ("02.14", "05.09"); return its path."""
    new = float(baseline) >= 4
    offset = -1000 if new else 0
    name = f"S2A_MSI{level}_{day}T100601_N{baseline.replace('.', '')}_R022_T32TPQ_{day}T140000.SAFE"
    root = Path(folder) / name
    granule = root / "GRANULE" / f"{level}_T32TPQ_A040000_{day}T100600"
    for band, size in BANDS.items():
        # before baseline 04.00 nothing below 0 could be stored
        stored = np.round(reflectance(band) * 10000) - offset
        stored = np.where(np.isnan(stored), 0, np.maximum(stored, 1)).astype(np.uint16)
        stem = f"T32TPQ_{day}T100601_{band}"
        if level == "L2A":
            write_jp2(granule / "IMG_DATA" / f"R{size}m" / f"{stem}_{size}m.jp2", stored, size)
            if size == 10:  # the coarser copy, which must not be taken
                write_jp2(granule / "IMG_DATA" / "R20m" / f"{stem}_20m.jp2", stored[::2, ::2] // 2, 20)
        else:
            write_jp2(granule / "IMG_DATA" / f"{stem}.jp2", stored, size)
    mask = clouds()
    if level == "L2A":
        scl = np.where(np.kron(mask, np.ones((3, 3), bool)), 9, 4).astype(np.uint8)
        write_jp2(granule / "IMG_DATA" / "R20m" / f"T32TPQ_{day}T100601_SCL_20m.jp2", scl, 20)
    elif new:
        layers = np.stack([mask, np.zeros_like(mask), np.zeros_like(mask)]).astype(np.uint8)
        write_jp2(granule / "QI_DATA" / "MSK_CLASSI_B00.jp2", layers, 60)
    else:
        path = granule / "QI_DATA" / "MSK_CLOUDS_B00.gml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_gml(mask))
    (root / f"MTD_MSI{level}.xml").write_text(_metadata(level, baseline, offset if new else None, day))
    if not as_zip:
        return root
    packed = root.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, f"{name}/{file.relative_to(root).as_posix()}")
    return packed


def _gml(mask):
    rows, cols = np.nonzero(mask)
    left, right = CORNER[0] + cols.min() * 60, CORNER[0] + (cols.max() + 1) * 60
    top, bottom = CORNER[1] - rows.min() * 60, CORNER[1] - (rows.max() + 1) * 60
    ring = f"{left} {top} {right} {top} {right} {bottom} {left} {bottom} {left} {top}"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="S2A_MSK_CLOUDS">
  <eop:maskMembers><eop:MaskFeature gml:id="OPAQUE.0">
    <eop:maskType codeSpace="urn:gs2:S2PDGS:maskType">OPAQUE</eop:maskType>
    <eop:extentOf><gml:Polygon gml:id="OPAQUE.0_Polygon"><gml:exterior><gml:LinearRing>
      <gml:posList srsDimension="2">{ring}</gml:posList>
    </gml:LinearRing></gml:exterior></gml:Polygon></eop:extentOf></eop:MaskFeature></eop:maskMembers>
</eop:Mask>
"""


def _metadata(level, baseline, offset, day):
    if level == "L2A":
        quantification = "<BOA_QUANTIFICATION_VALUE unit='none'>10000</BOA_QUANTIFICATION_VALUE>"
        tag, group = "BOA_ADD_OFFSET", "BOA_ADD_OFFSET_VALUES_LIST"
    else:
        quantification = "<QUANTIFICATION_VALUE unit='none'>10000</QUANTIFICATION_VALUE>"
        tag, group = "RADIO_ADD_OFFSET", "Radiometric_Offset_List"
    offsets = "".join(f'<{tag} band_id="{n}">{offset}</{tag}>' for n in range(13)) if offset is not None else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-{level[1:]}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level[1:]}.xsd">
  <n1:General_Info><Product_Info>
    <PRODUCT_START_TIME>{day[:4]}-{day[4:6]}-{day[6:]}T10:06:01.024Z</PRODUCT_START_TIME>
    <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
  </Product_Info>
  <Product_Image_Characteristics>{quantification}<{group}>{offsets}</{group}></Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-{level[1:]}_User_Product>
"""
