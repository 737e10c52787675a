"""Faults put into phase linking on purpose (`mutations`): in words, file, text, what takes its place, tests.

The raising of β, the weights of the window, the Cramér–Rao bound and the test of Kolmogorov and Smirnov were chosen
before the tests were looked at. Changes of compiled code come last: each is compiled again.
"""

FOLDER = "workflow/slipmap/deformation/phase_linking/"
TESTS = "tests/deformation/test_"
CHANGES = (
    (
        "weights of the window not triangular",
        "../interferogram.py",
        'falling if kind == "triangular" else np.ones(size)',
        "np.ones(size)",
        "phase_linking.py::test_neighbours_count_by_scipys_windows",
    ),
    (
        "Kolmogorov-Smirnov: twice the distance",
        "neighbours.py",
        "distance = np.sqrt(-np.log(significance / 2) / dates)",
        "distance = 2 * np.sqrt(-np.log(significance / 2) / dates)",
        "phase_linking_neighbours.py::test_ks_is_scipys",
    ),
    (
        "likelihood ratio: two degrees of freedom",
        "neighbours.py",
        "chdtri(1, significance)",
        "chdtri(2, significance / 10)",
        "phase_linking_neighbours.py::test_like_neighbours_are_rejected_as_often_as_stated",
    ),
    (
        "covariance of the dates: half the information",
        "decorrelation.py",
        "information = 2 * (gamma * np.linalg.inv(gamma) - np.eye(len(apart)))",
        "information = gamma * np.linalg.inv(gamma) - np.eye(len(apart))",
        "linked_noise.py",
    ),
    (
        "decay fitted to coherences with their bias",
        "decorrelation.py",
        "entry[1] += there * (square - bias) / (1 - bias)",
        "entry[1] += there * square",
        "linked_noise.py::test_decay_is_that_of_the_speckle",
    ),
    (
        "persistent scatterers among few dates",
        "scatterers.py",
        "LEAST_DATES = 20",
        "LEAST_DATES = 2",
        "phase_linking_neighbours.py::test_few_dates_have_no_persistent_scatterers",
    ),
    (
        "persistent scatterer not relative to its first date",
        "scatterers.py",
        "linked.phasors[:, rows, cols] = own * np.conj(datum)",
        "linked.phasors[:, rows, cols] = own",
        "phase_linking_neighbours.py::test_a_persistent_scatterer_keeps_its_own_phase",
    ),
    (
        "few looks taken for many",
        "link.py",
        "chance = np.maximum(1.03",
        "chance = 0 * np.maximum(1.03",
        "phase_linking_bad_input.py::test_corners_of_an_area_have_fewer_neighbours_than_dates",
    ),
    (
        "compressed SLC with twice the phases",
        "compressed.py",
        "np.nan_to_num(own) * np.conj(phasor)[..., None]",
        "np.nan_to_num(own) * phasor[..., None]",
        "phase_linking_ministacks.py::test_compressed_slc_has_the_phase_of_the_first_date",
    ),
    (
        "the last ministack left out where it is short",
        "ministack.py",
        "for k in range(0, len(ordered), step)",
        "for k in range(0, len(ordered) - len(ordered) % step or step, step)",
        "phase_linking_ministacks.py::test_every_date_is_in_one_ministack",
    ),
    (
        "motion not put back",
        "block.py",
        "motion.turned(linked.phasors, rate, years, 1, linked.phasors, threads)",
        "pass",
        "phase_linking_motion.py::test_the_edge_of_a_landslide_fits_better_and_is_as_sharp",
    ),
    (
        "rates smoothed across sharp edges",
        "motion.py",
        "alike = weight * (np.abs(other - rate) <= SHARP)",
        "alike = weight * np.ones(rate.shape, np.float32)",
        "phase_linking_motion.py",
    ),
    (
        "peaks of noise taken for motion",
        "motion.py",
        "found[(peak < CLEAR) | (np.abs(found) < SLOWEST)] = 0",
        "found[np.abs(found) < SLOWEST] = 0",
        "phase_linking_motion.py::test_noise_has_no_rate",
    ),
    (
        "neighbours lend a phase to ground without data",
        "block.py",
        "(power(samples[k : k + 1])[0] > EMPTY) & (np.abs(linked.phasors[k]) > 0.5)",
        "np.abs(linked.phasors[k]) > 0.5",
        "phase_linking_driver.py::test_a_date_that_covers_a_part_is_nodata_elsewhere",
    ),
    (
        "β not raised where |Γ| is indefinite",
        "kernel.py",
        "    while some(bad):\n        now",
        "    while False:\n        now",
        "phase_linking.py::test_no_phase_comes_of_a_matrix_that_is_not_positive_definite",
    ),
    (
        "β raised in the pixels beside it too",
        "kernel.py",
        "store(blend, 0, select(bad, raised, now))",
        "store(blend, 0, raised)",
        "phase_linking.py::test_no_phase_comes_of_a_matrix_that_is_not_positive_definite",
    ),
    (
        "Cramér-Rao bound: the identity not taken off",
        "kernel.py",
        "information = load(B, (row(i) + i) * LANES) - same(1.0)",
        "information = load(B, (row(i) + i) * LANES)",
        "phase_linking.py::test_scatter_of_emi_is_near_the_cramer_rao_bound",
    ),
    (
        "EVD: the smallest eigenvalue's vector",
        "kernel.py",
        "by = load(B, e * LANES) if inverted else same(-1.0)",
        "by = load(B, e * LANES) if inverted else same(1.0)",
        "phase_linking.py::test_phases_are_those_of_the_eigendecomposition",
    ),
    (
        "EMI: |Γ| in place of its inverse",
        "kernel.py",
        "                gram(X, dates, B)\n            _matrix",
        "                for e in range(row(dates) * LANES):\n                    B[e] = G[e]\n            _matrix",
        "phase_linking.py::test_phases_are_those_of_the_eigendecomposition",
    ),
    (
        "goodness of fit weighed by coherence",
        "kernel.py",
        "cosine / select(seen, size, same(1.0))",
        "cosine",
        "phase_linking.py::test_phases_are_those_of_the_eigendecomposition",
    ),
)
