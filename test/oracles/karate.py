"""Reference numbers for Zachary's karate club, made with networkx.

Usage: python karate.py > internal/graph/testdata/karate.json
The edges are those of Zachary (1977), unweighted, as networkx ships them.
"""

import json

import networkx as nx
import numpy as np

graph = nx.karate_club_graph()
centrality = nx.eigenvector_centrality_numpy(graph)  # unweighted: weight=None is the default
clubs = [{"Mr. Hi": 0, "Officer": 1}[graph.nodes[i]["club"]] for i in graph]
print(json.dumps({
    "origin": f"networkx {nx.__version__}, numpy {np.__version__}",
    "edges": [[int(a), int(b)] for a, b in graph.edges],
    "eigenvector": [round(abs(float(centrality[i])), 12) for i in graph],
    "eigenvalue": round(float(max(np.linalg.eigvalsh(nx.to_numpy_array(graph, weight=None)))), 12),
    "clustering": [round(float(c), 12) for c in nx.clustering(graph).values()],
    "clubs": clubs,
    "modularity_of_clubs": round(float(nx.community.modularity(
        graph, [{i for i in graph if clubs[i] == c} for c in (0, 1)], weight=None)), 12),
}, indent=1))
