# Reference answers for overlap, doubly robust and overlap-weighted estimates, from cohort.csv; prints JSON.
#   Rscript overlap.R
# The propensity is nnet::multinom, the outcome model glm. Every estimate is the root of estimating equations that are
# written out below; the derivative of their sum is numerical, so that no formula of a derivative is used.
rows <- read.csv("cohort.csv", stringsAsFactors = FALSE)
rows$vol_cat <- factor(rows$vol_cat)
rows$edu <- factor(rows$edu)
rows$smoke <- factor(rows$smoke, levels = c("never", "former", "current"))
rows$age10 <- rows$age / 10
rows$bmi10 <- rows$bmi / 10
n <- nrow(rows)
y <- rows$clbp
K <- nlevels(rows$vol_cat)
A <- outer(as.integer(rows$vol_cat), 1:K, "==") * 1
covariates <- ~ age10 + women + edu + smoke + bmi10
W <- model.matrix(covariates, rows)
X <- model.matrix(update(covariates, ~ vol_cat + .), rows)
p <- ncol(W)
k <- ncol(X)
at_level <- lapply(levels(rows$vol_cat), function(level) {
  model.matrix(update(covariates, ~ vol_cat + .), transform(rows, vol_cat = factor(level, levels(rows$vol_cat))))
})

probabilities <- function(b) {
  eta <- cbind(0, W %*% matrix(b, p))
  exp(eta) / rowSums(exp(eta))
}
of_propensity <- function(b) {
  residual <- (A - probabilities(b))[, -1]
  do.call(cbind, lapply(1:(K - 1), function(l) residual[, l] * W))
}

# The root near a start, by Newton's method on sums of equations with a numerical derivative.
derivative <- function(equations, at) {
  sapply(seq_along(at), function(j) {
    step <- replace(numeric(length(at)), j, 1e-5)
    (colSums(equations(at + step)) - colSums(equations(at - step))) / 2e-5
  })
}
root <- function(equations, at) {
  for (step in 1:12) at <- at - solve(derivative(equations, at), colSums(equations(at)))
  at
}
covariance <- function(equations, at) {
  bread <- solve(derivative(equations, at))
  bread %*% crossprod(equations(at)) %*% t(bread)
}

fit <- nnet::multinom(update(covariates, vol_cat ~ .), rows, trace = FALSE, maxit = 1000, reltol = 1e-14)
multinom <- as.vector(t(coef(fit)))
gamma <- root(of_propensity, multinom)
P <- probabilities(gamma)
outcome <- glm(update(covariates, clbp ~ vol_cat + .), binomial, rows, control = glm.control(epsilon = 1e-14))
beta <- unname(coef(outcome))

# Doubly robust: propensity, outcome model, the four risks.
doubly_robust <- function(theta) {
  g <- theta[seq_along(gamma)]
  b <- theta[length(gamma) + seq_along(beta)]
  risk <- theta[length(gamma) + length(beta) + 1:K]
  prob <- probabilities(g)
  each <- sapply(1:K, function(l) {
    m <- plogis(drop(at_level[[l]] %*% b))
    m + A[, l] / prob[, l] * (y - m) - risk[l]
  })
  cbind(of_propensity(g), X * (y - plogis(drop(X %*% b))), each)
}
start <- sapply(1:K, function(l) {
  m <- plogis(drop(at_level[[l]] %*% beta))
  mean(m + A[, l] / P[, l] * (y - m))
})
# Overlap weights: propensity, the four weighted risks.
overlap_weighted <- function(theta) {
  g <- theta[seq_along(gamma)]
  risk <- theta[length(gamma) + 1:K]
  prob <- probabilities(g)
  w <- 1 / rowSums(1 / prob) / rowSums(A * prob)
  cbind(of_propensity(g), sapply(1:K, function(l) A[, l] * w * (y - risk[l])))
}
w_overlap <- 1 / rowSums(1 / P) / rowSums(A * P)

summarized <- function(equations, theta) {
  last <- length(theta) - K + 1:K
  V <- covariance(equations, theta)[last, last]
  r <- theta[last]
  list(
    risk = r, risk_se = sqrt(diag(V)), rd = r[-1] - r[1], rr = r[-1] / r[1],
    rd_se = sapply(2:K, function(l) sqrt(V[l, l] + V[1, 1] - 2 * V[1, l])),
    log_rr_se = sapply(2:K, function(l) sqrt(V[l, l] / r[l]^2 + V[1, 1] / r[1]^2 - 2 * V[1, l] / r[1] / r[l]))
  )
}

w_inverse <- 1 / rowSums(A * P)
shares <- colMeans(A)
groups <- split(1:n, rows$vol_cat)
columns <- cbind(rows$age, rows$women, rows$bmi, sapply(levels(rows$smoke), function(s) rows$smoke == s))
pairwise <- function(x, w) {
  spread <- sqrt(mean(sapply(groups, function(g) mean((x[g] - mean(x[g]))^2))))
  means <- sapply(groups, function(g) weighted.mean(x[g], w[g]))
  max(abs(outer(means, means, `-`))) / spread
}
equipoise <- sapply(2:K, function(l) {
  score <- plogis(log(P[, l] / P[, 1]) - log(shares[l] / shares[1]))
  min(sapply(c(1, l), function(g) mean(score[groups[[g]]] >= .3 & score[groups[[g]]] <= .7)))
})
ess <- function(w) sapply(groups, function(g) sum(w[g])^2 / sum(w[g]^2))

# Coefficients per year and per unit, as the covariates are delivered.
unit <- ifelse(colnames(W) %in% c("age10", "bmi10"), 10, 1)
found <- list(
  coefficients = as.vector(matrix(gamma, p) / unit), from_multinom = as.vector(matrix(multinom, p) / unit),
  coefficient_se = as.vector(matrix(sqrt(diag(-solve(derivative(of_propensity, gamma)))), p) / unit),
  first_probabilities = as.vector(t(P[1:3, ])), smallest = apply(P, 2, min),
  equipoise = equipoise, ess_inverse = unname(ess(w_inverse)), ess_overlap = unname(ess(w_overlap)),
  smd = unname(apply(columns, 2, pairwise, w = rep(1, n))),
  smd_inverse = unname(apply(columns, 2, pairwise, w = w_inverse)),
  smd_overlap = unname(apply(columns, 2, pairwise, w = w_overlap)),
  doubly_robust = summarized(doubly_robust, c(gamma, beta, start)),
  overlap_weighted = summarized(overlap_weighted, root(overlap_weighted, c(
    gamma, sapply(1:K, function(l) weighted.mean(y[A[, l] == 1], w_overlap[A[, l] == 1]))
  )))
)
json <- function(x) {
  if (!is.list(x)) return(paste0("[", paste(formatC(x, digits = 15, format = "g"), collapse = ", "), "]"))
  paste0("{", paste(sprintf('"%s": %s', names(x), sapply(x, json)), collapse = ",\n"), "}")
}
cat(json(found), "\n")
