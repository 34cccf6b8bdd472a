# Repeats Stegvis estimates from an exported analysis table. Needs R 4 and the package sandwich.
#   source("repeat.R"); people <- read_people("analysis_set.csv")
# then any command of commands.csv. Each gives one number: the estimate of its row.

read_people <- function(file) {
  people <- read.csv(file, na.strings = "", stringsAsFactors = FALSE)
  for (name in names(LEVELS)) people[[name]] <- factor(people[[name]], levels = LEVELS[[name]])
  people$older <- people$older == "True"
  for (exposure in c("walking_minutes", "walking_met")) {
    category <- paste0(exposure, "_category")
    people[[category]] <- factor(people[[category]], levels = 1:4)
  }
  people
}

# Stata's xtile: the cut is the mean of two neighbours where n * p is whole; a value on a cut goes to the lower group.
xtile4 <- function(x) {
  cuts <- quantile(x, c(.25, .5, .75), type = 2)
  factor(1 + (x > cuts[1]) + (x > cuts[2]) + (x > cuts[3]), levels = 1:4)
}

recut <- function(people) {
  people$walking_minutes_category <- xtile4(people$walking_minutes)
  people$walking_met_category <- xtile4(people$walking_met)
  people
}

fixed <- function(people) {
  people$walking_minutes_category <- factor(1 + findInterval(people$walking_minutes, BOUNDS$walking_minutes), 1:4)
  people$walking_met_category <- factor(1 + findInterval(people$walking_met, BOUNDS$walking_met), 1:4)
  people
}

poisson_fit <- function(formula, people) glm(formula, poisson, people, control = glm.control(epsilon = 1e-14, maxit = 50))

# The variance: Huber and White's sandwich, times n/(n-1) where the protocol asks for Stata's.
robust <- function(fit) {
  n <- nobs(fit)
  sandwich::vcovHC(fit, "HC0") * (if (VARIANCE == "stata") n / (n - 1) else 1)
}

# The risk ratio of one coefficient (estimate, limits, p).
rr <- function(formula, people, name) {
  fit <- poisson_fit(formula, people)
  b <- coef(fit)[[name]]
  se <- sqrt(robust(fit)[name, name])
  z <- qnorm(.975)
  c(estimate = exp(b), low = exp(b - z * se), high = exp(b + z * se), p = 2 * pnorm(-abs(b / se)))
}

# The joint Wald test of all coefficients whose name holds a text.
wald <- function(formula, people, text) {
  fit <- poisson_fit(formula, people)
  names <- names(coef(fit))[grepl(text, names(coef(fit)), fixed = TRUE)]
  b <- coef(fit)[names]
  pchisq(drop(b %*% solve(robust(fit)[names, names], b)), length(b), lower.tail = FALSE)
}

# The likelihood-ratio test of the ordinary Poisson likelihood.
likelihood_ratio <- function(full, nested, people) {
  one <- poisson_fit(full, people)
  other <- poisson_fit(nested, people)
  pchisq(2 * (logLik(one) - logLik(other))[[1]], length(coef(one)) - length(coef(other)), lower.tail = FALSE)
}

# The median of each category, for the trend.
medians <- function(x, category) ave(x, category, FUN = median)

# Harrell's restricted cubic basis.
spline <- function(x, t) {
  k <- length(t)
  tau <- (t[k] - t[1])^2
  cube <- function(u) pmax(u, 0)^3
  columns <- sapply(1:(k - 2), function(j) {
    (cube(x - t[j]) - cube(x - t[k - 1]) * (t[k] - t[j]) / (t[k] - t[k - 1]) +
      cube(x - t[k]) * (t[k - 1] - t[j]) / (t[k] - t[k - 1])) / tau
  })
  cbind(x, matrix(columns, nrow = length(x)))
}

# The knots: the 10th, 50th and 90th percentile by Stata's rule, as published.
knots <- function(x) unname(quantile(x, KNOT_PERCENTILES, type = KNOT_TYPE))

# The risk ratio of one value of an exposure against another, on the curve.
on_curve <- function(people, exposure, covariates, t, value, reference, other = NULL, other_knots = NULL) {
  people$s <- spline(people[[exposure]], t)
  terms <- c("s", covariates)
  if (!is.null(other)) {
    people$s2 <- spline(people[[other]], other_knots)
    terms <- c("s", "s2", covariates)
  }
  fit <- poisson_fit(reformulate(terms, "low_back_pain"), people)
  b <- coef(fit)[2:length(t)]
  exp(drop((spline(value, t) - spline(reference, t)) %*% b))
}

# The Wald test of the curve's terms from the first or second on: is there any association, is it straight.
curve_test <- function(people, exposure, covariates, t, from, other = NULL, other_knots = NULL) {
  people$s <- spline(people[[exposure]], t)
  terms <- c("s", covariates)
  if (!is.null(other)) {
    people$s2 <- spline(people[[other]], other_knots)
    terms <- c("s", "s2", covariates)
  }
  fit <- poisson_fit(reformulate(terms, "low_back_pain"), people)
  chosen <- (1 + from):length(t)
  b <- coef(fit)[chosen]
  pchisq(drop(b %*% solve(robust(fit)[chosen, chosen], b)), length(b), lower.tail = FALSE)
}
