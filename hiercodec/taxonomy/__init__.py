"""The semantic hierarchy: classes, embeddings, clusterings, WordNet cuts, similarity, and how stable they are.

Importing this costs numpy and json only; scikit-learn, NLTK, open_clip and UMAP load inside the calls that need them.
"""

from __future__ import annotations

from hiercodec.taxonomy.classes import ImageClass, class_of, classes, search
from hiercodec.taxonomy.hierarchy import Hierarchy, HierarchyLevel, make_hierarchy
from hiercodec.taxonomy.hierarchy_file import (
    available_hierarchies,
    dump_hierarchy,
    find_hierarchy,
    load_hierarchy,
    parse_hierarchy,
    save_hierarchy,
)
