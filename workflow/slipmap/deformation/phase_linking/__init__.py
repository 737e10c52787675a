"""Phase linking: one phase for each date from all interferograms of a neighbourhood, weighed by its coherences.

The sample coherence matrix Γ of homogeneous neighbours holds every interferogram. EVD takes the phases of its dominant
eigenvector (Fornaro et al. 2015), EMI those of the eigenvector of |Γ|⁻¹ ∘ Γ with the smallest eigenvalue (Ansari et
al. 2018), which is nearly the maximum-likelihood estimate (Guarnieri & Tebaldini 2008).
"""
